"""What is written in the chip of a resident ID card, and whether its number is right.

The text block is 256 bytes of UTF-16LE padded with spaces (GA/T 490 and the notices on the cards for residents of
Hong Kong, Macao and Taiwan and for foreign permanent residents). Byte 248 says which of four layouts it has. Photo
and fingerprints are not part of it and never come here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stdnum.cn import ric
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_2

from devices.roles import CardPresented

TEXT = 256  # bytes of the text block
ADDRESS = 70  # bytes of the newest address

KINDS = {" ": "citizen", "J": "hmt", "I": "foreigner2017", "Y": "foreigner2023"}
TYPE = slice(248, 250)

# field → where it lies: (first byte, bytes), several when it is continued elsewhere. Names are those of CardPresented.
Places = Mapping[str, tuple[tuple[int, int], ...]]
_COMMON: Places = {
    "name": ((0, 30),),
    "sex": ((30, 2),),
    "birth": ((36, 16),),
    "id_number": ((122, 36),),
    "start": ((188, 16),),
    "end": ((204, 16),),
}
LAYOUTS: Mapping[str, Places] = {
    "citizen": {**_COMMON, "nation": ((32, 4),), "address_text": ((52, 70),), "authority": ((158, 30),)},
    "hmt": {
        **_COMMON,
        "address_text": ((52, 70),),
        "authority": ((158, 30),),
        "pass_number": ((220, 18),),
        "issue_count": ((238, 4),),
    },
    "foreigner2017": {
        "english_name": ((0, 120),),
        "sex": ((120, 2),),
        "id_number": ((122, 30),),
        "nationality": ((152, 6),),
        "name": ((158, 30),),
        "start": ((188, 16),),
        "end": ((204, 16),),
        "birth": ((220, 16),),
        "authority": ((240, 8),),
    },
    "foreigner2023": {
        **_COMMON,
        "issue_count": ((32, 4),),
        "english_name": ((52, 70), (220, 22)),  # characters 36 to 46 are kept in the extension
        "nationality": ((242, 6),),
        "old_number": ((250, 6),),
    },
}

SEXES = {"0": "未知", "1": "男", "2": "女", "9": "未说明"}  # GB/T 2261.1

# GB/T 3304. 46 is 德昂 and 20 is 傈僳: tables in circulation carry typing errors.
NATIONS: dict[str, str] = dict(
    re.findall(
        r"(\d\d)(\S+)",
        "01汉 02蒙古 03回 04藏 05维吾尔 06苗 07彝 08壮 09布依 10朝鲜 11满 12侗 13瑶 14白 15土家 16哈尼 "
        "17哈萨克 18傣 19黎 20傈僳 21佤 22畲 23高山 24拉祜 25水 26东乡 27纳西 28景颇 29柯尔克孜 30土 "
        "31达斡尔 32仫佬 33羌 34布朗 35撒拉 36毛南 37仡佬 38锡伯 39阿昌 40普米 41塔吉克 42怒 43乌孜别克 "
        "44俄罗斯 45鄂温克 46德昂 47保安 48裕固 49京 50塔塔尔 51独龙 52鄂伦春 53赫哲 54门巴 55珞巴 56基诺 "
        "97其他 98外国血统中国籍",
    )
)
_CODES: dict[str, dict[str, str]] = {"sex": SEXES, "nation": NATIONS}

EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
FIFTEEN = re.compile(r"[A-Z]{3}[0-9]{12}")  # the foreigner's card of 2017 has no public check digit


class CardMistake(ValueError):
    """These bytes are no text block of a known card, or these fields do not fit into one."""


def read_text(block: bytes | bytearray) -> CardPresented:
    """The card whose text block this is. Raises CardMistake when it is not one of the four layouts."""
    if len(block) != TEXT:
        raise CardMistake(f"the text block has {len(block)} bytes instead of {TEXT}")
    letter = _decode(block[TYPE]) or " "
    if letter not in KINDS:
        raise CardMistake(f"cards of type {letter!r} are not known here")
    kind = KINDS[letter]
    fields: dict[str, Any] = {}
    for name, places in LAYOUTS[kind].items():
        value = _decode(b"".join(bytes(block[at : at + size]) for at, size in places))
        fields[name] = _CODES.get(name, {}).get(value, value)
    return CardPresented(kind=kind, id_valid=number_is_right(kind, fields["id_number"]), **fields)


def write_text(card: CardPresented) -> bytes:
    """The text block of a card, for a simulator. Raises CardMistake when a field is too long or has no code."""
    if card.kind not in LAYOUTS:
        raise CardMistake(f"kind: there is no {card.kind!r}; there are: {', '.join(LAYOUTS)}")
    block = bytearray(" ".encode("utf-16-le") * (TEXT // 2))
    for name, places in LAYOUTS[card.kind].items():
        room = sum(size for _, size in places)
        value = _code(name, getattr(card, name)).encode("utf-16-le")
        if len(value) > room:
            raise CardMistake(f"{name}: holds {room // 2} characters, got {len(value) // 2}")
        value += " ".encode("utf-16-le") * ((room - len(value)) // 2)
        for at, size in places:
            block[at : at + size], value = value[:size], value[size:]
    letter = next(letter for letter, kind in KINDS.items() if kind == card.kind)
    block[TYPE] = letter.encode("utf-16-le")
    return bytes(block)


def read_address(block: bytes | bytearray) -> str:
    """The newest address from its 70 bytes."""
    return _decode(block)


def write_address(text: str) -> bytes:
    """The 70 bytes of a newest address. Raises CardMistake when it is too long."""
    value = text.encode("utf-16-le")
    if len(value) > ADDRESS:
        raise CardMistake(f"address_text: holds {ADDRESS // 2} characters, got {len(value) // 2}")
    return value + " ".encode("utf-16-le") * ((ADDRESS - len(value)) // 2)


def number_is_right(kind: str, number: str) -> bool:
    """True when the number has the shape of its kind and its check digit is right (GB 11643, ISO 7064 MOD 11-2)."""
    if kind == "foreigner2017":
        return bool(FIFTEEN.fullmatch(number))
    if not EIGHTEEN.fullmatch(number) or not mod_11_2.is_valid(number):
        return False
    if kind != "citizen":
        return True  # 81, 82, 83 and 9 stand where other numbers have their county
    try:
        # Not ric.validate: its list of counties ends somewhere, and a card is not wrong for being newer than a list.
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return True


def _decode(part: bytes | bytearray) -> str:
    return bytes(part).decode("utf-16-le", errors="replace").strip(" \0　")


def _code(name: str, value: str) -> str:
    """What stands in the chip for 男 or 汉; other values as they are."""
    if not value or name not in _CODES:
        return value
    for code, word in _CODES[name].items():
        if word == value or code == value:
            return code
    raise CardMistake(f"{name}: there is no code for {value!r}")
