"""What is typed on a keyboard with the layout of the United States, as bytes.

Codes are those of <linux/input-event-codes.h>. Devices that type (scanners, readers of travel documents) are set to
this layout when they leave the factory; one set to another country's layout is to be set back.

* Shift and caps lock as printed on the keys. Control with a letter, or with one of `[ \\ ] ^ _`, is the control
  character: so a GS1 separator comes as Control and `]`.
* Alt held while a number is typed on the number block is the byte of that number, above 255 the two bytes of it: so
  devices made for Windows send GS as Alt 029 and Chinese as its GB code. With `unicode` the number is a character's.
* Enter ends a line, as CR; Tab is a tab. Keys without a character (F1, arrows) write nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from devices.hid.events import DOWN, DROPPED, UP

CAPS, ENTER, KP_ENTER, TAB = 58, 28, 96, 15
SHIFTS, CONTROLS, ALTS = frozenset((42, 54)), frozenset((29, 97)), frozenset((56, 100))
ROWS = (  # first code, plain, shifted
    (2, b"1234567890-=", b"!@#$%^&*()_+"),
    (15, b"\tqwertyuiop[]\r", b"\tQWERTYUIOP{}\r"),
    (30, b"asdfghjkl;'`", b'ASDFGHJKL:"~'),
    (43, b"\\zxcvbnm,./", b"|ZXCVBNM<>?"),
    (57, b" ", b" "),
)
BLOCK = {55: b"*", 71: b"7", 72: b"8", 73: b"9", 74: b"-", 75: b"4", 76: b"5", 77: b"6", 78: b"+", 79: b"1", 80: b"2",
         81: b"3", 82: b"0", 83: b".", 96: b"\r", 98: b"/"}  # fmt: skip
PLAIN = {first + n: row[n : n + 1] for first, row, _ in ROWS for n in range(len(row))} | BLOCK
SHIFTED = {first + n: row[n : n + 1] for first, _, row in ROWS for n in range(len(row))} | BLOCK
DIGITS = {code: int(key) for code, key in BLOCK.items() if key.isdigit()}
LARGEST = 0x10FFFF  # no character, and no pair of bytes, has a larger number
SURROGATES = range(0xD800, 0xE000)  # numbers no character has
_KEYS = {key[0]: (code, False) for code, key in PLAIN.items() if code not in BLOCK} | {
    key[0]: (code, True) for code, key in SHIFTED.items() if code not in BLOCK and key != PLAIN[code]
}
_BLOCK_KEYS = {digit: code for code, digit in DIGITS.items()}


class Typist:
    """Keys in, bytes out; knows which of shift, control and alt are held."""

    def __init__(self, unicode: bool = False) -> None:
        self._unicode = unicode
        self._caps = False
        self.release()

    def release(self) -> None:
        """Forget every key that is held."""
        self._shift = self._control = self._alt = False
        self._number = -1  # typed under alt so far; -1: none

    def type(self, code: int, value: int) -> bytes:
        """What this key writes; mostly nothing when it is let go, and nothing while it is held."""
        if value == DOWN:
            return self._down(code)
        if value == UP:
            return self._up(code)
        if (code, value) == DROPPED:
            self.release()
        return b""

    def _down(self, code: int) -> bytes:
        if self._alt:
            if code in DIGITS:
                self._number = min(max(self._number, 0) * 10 + DIGITS[code], LARGEST + 1)
                return b""
        elif not (self._shift or self._control or self._caps) and code in PLAIN:
            return PLAIN[code]
        if code in SHIFTS:
            self._shift = True
        elif code in CONTROLS:
            self._control = True
        elif code in ALTS:
            self._alt, self._number = True, -1
        elif code == CAPS:
            self._caps = not self._caps
        elif code in PLAIN and not self._alt:
            return self._written(code)
        return b""

    def _written(self, code: int) -> bytes:
        key = (SHIFTED if self._shift else PLAIN)[code]
        if self._control:
            sign = SHIFTED[code] if SHIFTED[code] in b"^_" or key.isalpha() else key
            return bytes([sign.upper()[0] & 0x1F]) if sign.isalpha() or sign in b"[\\]^_" else b""
        return key.swapcase() if self._caps and key.isalpha() else key

    def _up(self, code: int) -> bytes:
        if code in SHIFTS:
            self._shift = False
        elif code in CONTROLS:
            self._control = False
        elif code in ALTS and self._alt:
            number, self._number, self._alt = self._number, -1, False
            return self._of_number(number)
        return b""

    def _of_number(self, number: int) -> bytes:
        if self._unicode:
            return b"" if number < 0 or number > LARGEST or number in SURROGATES else chr(number).encode()
        if number > 0xFFFF:
            return b""
        return b"" if number < 0 else bytes([number]) if number < 256 else number.to_bytes(2, "big")


def keys_of(signs: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The keys that write these bytes or characters, as (code, value): by Alt and its number where no key has one."""
    for sign in signs:
        if sign in _KEYS:
            code, shifted = _KEYS[sign]
            yield from ((42, DOWN), (code, DOWN), (code, UP), (42, UP)) if shifted else ((code, DOWN), (code, UP))
        else:
            yield 56, DOWN
            for digit in f"{sign:04}":
                yield _BLOCK_KEYS[int(digit)], DOWN
                yield _BLOCK_KEYS[int(digit)], UP
            yield 56, UP
