"""What keys are called: KEY_A is 30, as in <linux/input-event-codes.h>; a key without a name here is CODE_272."""

from __future__ import annotations

from devices.hid.events import DOWN, Events

_NAMES = """
ESC 1 2 3 4 5 6 7 8 9 0 MINUS EQUAL BACKSPACE TAB Q W E R T Y U I O P LEFTBRACE RIGHTBRACE ENTER LEFTCTRL A S D F
G H J K L SEMICOLON APOSTROPHE GRAVE LEFTSHIFT BACKSLASH Z X C V B N M COMMA DOT SLASH RIGHTSHIFT KPASTERISK
LEFTALT SPACE CAPSLOCK F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NUMLOCK SCROLLLOCK KP7 KP8 KP9 KPMINUS KP4 KP5 KP6 KPPLUS
KP1 KP2 KP3 KP0 KPDOT - ZENKAKUHANKAKU 102ND F11 F12 RO KATAKANA HIRAGANA HENKAN KATAKANAHIRAGANA MUHENKAN KPJPCOMMA
KPENTER RIGHTCTRL KPSLASH SYSRQ RIGHTALT LINEFEED HOME UP PAGEUP LEFT RIGHT END DOWN PAGEDOWN INSERT DELETE MACRO
MUTE VOLUMEDOWN VOLUMEUP POWER KPEQUAL KPPLUSMINUS PAUSE SCALE KPCOMMA HANGEUL HANJA YEN LEFTMETA
RIGHTMETA COMPOSE STOP AGAIN PROPS UNDO FRONT COPY OPEN PASTE FIND CUT HELP MENU CALC SETUP SLEEP WAKEUP FILE
SENDFILE DELETEFILE XFER PROG1 PROG2 WWW MSDOS COFFEE ROTATE_DISPLAY CYCLEWINDOWS MAIL BOOKMARKS COMPUTER BACK FORWARD
CLOSECD EJECTCD EJECTCLOSECD NEXTSONG PLAYPAUSE PREVIOUSSONG STOPCD RECORD REWIND PHONE ISO CONFIG HOMEPAGE
REFRESH EXIT MOVE EDIT SCROLLUP SCROLLDOWN KPLEFTPAREN KPRIGHTPAREN NEW REDO F13 F14 F15 F16 F17 F18 F19 F20 F21
F22 F23 F24
"""
NAMES = {code: f"KEY_{name}" for code, name in enumerate(_NAMES.split(), 1) if name != "-"}
CODES = {name: code for code, name in NAMES.items()}
MOST = 0x2FF  # no key has a larger number


def name_of(code: int) -> str:
    """What a key is called."""
    return NAMES.get(code, f"CODE_{code}")


def code_of(name: str) -> int:
    """The number of a key. Raises ValueError when there is no such key."""
    kind, _, number = name.partition("_")
    if kind == "CODE" and number.isascii() and number.isdigit() and 0 < int(number) <= MOST:
        return int(number)
    if name not in CODES:
        raise ValueError(f"no key is called {name!r}; write KEY_F1, KEY_KP1 and so on, or CODE_ and the key's number")
    return CODES[name]


def pressed(recorded: bytes) -> list[str]:
    """Which keys went down while this was recorded, in order. Raises ValueError when it is not what a keyboard says."""
    cutter = Events()
    keys = cutter.feed(recorded)
    cutter.clear()
    if cutter.junk or (recorded and not keys):
        raise ValueError("what was recorded is not what a keyboard says; give the device an evdev link")
    return [name_of(code) for code, value in keys if value == DOWN]
