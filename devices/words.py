"""Orders and news as JSON, and as words a technician reads; what may name a person is masked unless asked for.

    {"order": "PrintSlip", "hall": "…", "number": "A007", …}
    {"news": "CardPresented", "kind": "citizen", "name": "张**", "id_number": "110***********0134", …}

`address` is written only when it is not 0 and `id` only when it is set. Pictures (fields marked `bulk`) are written as
their size and the first 16 hex digits of their SHA-256, and read from base64.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from config.words import Sentence
from devices import roles
from devices.roles import News, Order

Record = Order | News
NAMES = ("name", "english_name", "surname", "given_names")
NUMBERS = ("id_number", "pass_number", "old_number", "document_number")

# What each word is called at the desk: Chinese first.
SAID = {
    "Alive": "设备已应答 answered",
    "Obeyed": "已执行 done",
    "Refused": "未执行 not done",
    "Unconfirmed": "无法确认 cannot be confirmed",
    "LinkDown": "链路断开 cable gone",
    "Silent": "设备无应答 no answer",
    "Exchanged": "设备被调换 another device",
    "Garbled": "数据错乱 garbled bytes",
    "PaperOut": "缺纸 paper out",
    "PaperNearEnd": "纸将尽 paper near end",
    "CoverOpen": "上盖打开 cover open",
    "CutterError": "切刀故障 cutter stuck",
    "PrinterError": "打印机故障 printer error",
    "PrinterOffline": "打印机脱机 printer offline",
    "PaperUsed": "用纸计数 paper used",
    "DocumentState": "文件打印状态 document",
    "TonerLow": "碳粉将尽 toner low",
    "CardPresented": "读到证件 card read",
    "CardUnreadable": "证件无法读取 card unreadable",
    "CardRemoved": "证件已移开 card removed",
    "NewestAddress": "最新住址 newest address",
    "ReaderFault": "阅读器故障 reader fault",
    "DocumentRead": "读到旅行证件 travel document read",
    "DocumentUnreadable": "旅行证件无法读取 travel document unreadable",
    "CodeScanned": "扫到条码 code scanned",
    "KeyPressed": "按键 key pressed",
    "Rated": "评价 rated",
    "PedalPressed": "踩下脚踏 pedal pressed",
    "FrameSeen": "画面 frame",
    "StillTaken": "已拍照 still taken",
    "PictureFrozen": "画面停止 picture frozen",
    "PictureDark": "画面全黑 picture dark",
    "PictureBright": "画面过亮 picture too bright",
    "WrongFormat": "画面格式不符 wrong picture format",
    "BusFull": "USB 带宽不足 USB bus full",
    "PrintSlip": "打印号票 print a slip",
    "PrintTest": "打印测试页 print a test",
    "PrintDocument": "打印文件 print a document",
    "SetRoll": "更换纸卷 new roll",
    "ReadCard": "读证 read a card",
    "ReadNewestAddress": "读最新住址 read the newest address",
    "ResetReader": "阅读器复位 reset the reader",
    "TriggerScan": "开始扫码 scan",
    "StopScan": "停止扫码 stop scanning",
    "ShowNumber": "显示号码 show a number",
    "Beep": "蜂鸣 beep",
    "AskRating": "请求评价 ask for a rating",
    "ShowStars": "显示星级 show stars",
    "ShowCall": "显示叫号 show a call",
    "ShowCalls": "显示最近叫号 show the latest calls",
    "ShowServing": "显示正在办理 show who is served",
    "ShowWelcome": "显示欢迎 show the welcome",
    "ShowPaused": "显示暂停 show the pause",
    "ShowText": "显示文字 show a text",
    "SetClock": "校时 set the clock",
    "SetBrightness": "调亮度 set the brightness",
    "SwitchScreen": "开关屏 switch the screen",
    "ClearScreen": "清屏 clear the screen",
    "TakeStill": "拍照 take a picture",
}


class WordMistake(ValueError):
    """The JSON is not an order or news; the text names the field and what was expected."""


class RangeMistake(WordMistake):
    """A value of the right type that the `field` does not take."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


def classes(kind: type[Record]) -> dict[str, type[Any]]:
    """Every order (`Order`) or news (`News`) that can be written down, by name."""
    return {
        name: cls
        for name, cls in vars(roles).items()
        if isinstance(cls, type) and issubclass(cls, kind) and cls not in (Order, News, roles.Trouble)
    }


def mask(name: str, value: str) -> str:
    """A personal text made safe to show: 张三丰 → 张**, 110101199003070134 → 110***********0134, others → ***."""
    if not value:
        return value
    if name in NAMES:
        return value[0] + "*" * max(1, len(value) - 1)
    if name in NUMBERS and len(value) > 8:
        return value[:3] + "*" * (len(value) - 7) + value[-4:]
    return "***"


def kept(news: News) -> News:
    """News as they may stay in memory after they have been told: no pictures, and what may name a person masked."""
    hidden: dict[str, Any] = {}
    for f in dataclasses.fields(news):
        value = getattr(news, f.name)
        if f.metadata.get("bulk"):
            hidden[f.name] = b""
        elif f.metadata.get("personal") and isinstance(value, str):
            hidden[f.name] = mask(f.name, value)
    return dataclasses.replace(news, **hidden) if hidden else news


def to_json(record: Record, personal: bool = False) -> dict[str, Any]:
    """A record as a JSON-able dict; personal fields are masked unless `personal`."""
    kind = "order" if isinstance(record, Order) else "news"
    # News about an order has a field called `order` already, so its own name goes first under "news".
    out: dict[str, Any] = {kind: type(record).__name__}
    for f in sorted(dataclasses.fields(record), key=lambda f: f.name in ("id", "address")):
        value = getattr(record, f.name)
        if f.name in ("id", "address") and not value:
            continue
        if isinstance(value, bytes):
            value = {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()[:16]}
        elif isinstance(value, Enum):
            value = value.value
        elif isinstance(value, tuple):
            value = [vars(one) if dataclasses.is_dataclass(one) else one for one in value]
        elif f.metadata.get("personal") and not personal and isinstance(value, str):
            value = mask(f.name, value)
        out[f.name] = value
    return out


def from_json(data: object, kind: type[Record] | None = None) -> Any:
    """The record a JSON object stands for; `kind` (Order or News) narrows what is accepted. Raises WordMistake."""
    if not isinstance(data, Mapping):
        raise WordMistake(f'expected a JSON object such as {{"news": "CardRemoved"}}, got {type(data).__name__}')
    word = "news" if "news" in data else "order"
    if word not in data:
        raise WordMistake('the object names neither "order" nor "news"')
    if kind is not None and (word == "news") != (kind is News):
        raise WordMistake(f'expected {"news" if kind is News else "an order"}, got "{word}"')
    known = classes(News if word == "news" else Order)
    name = data[word]
    if not isinstance(name, str) or name not in known:
        raise WordMistake(f"{word}: there is no {name!r}; there are: {', '.join(sorted(known))}")
    return build(known[name], {k: v for k, v in data.items() if k != word})


def build(cls: type[Any], given: Mapping[str, object]) -> Any:
    """One order or news of class `cls` from its JSON fields. Raises WordMistake naming class and field.

    A field's metadata may say how long its text is at most (`longest`), and `between` which numbers it lies.
    """
    hints = get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for name in given:
        if name not in fields:
            raise WordMistake(f"{cls.__name__}.{name}: no such field; there are: {', '.join(fields)}")
    values = {name: _value(f"{cls.__name__}.{name}", hints[name], value) for name, value in given.items()}
    for name, value in values.items():
        _in_range(f"{cls.__name__}.{name}", fields[name], value)
    for name, f in fields.items():
        if name not in values and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise WordMistake(f"{cls.__name__}.{name}: missing, expected {_called(hints[name])}")
    return cls(**values)


def _in_range(place: str, field: dataclasses.Field[Any], value: object) -> None:
    longest, between = field.metadata.get("longest"), field.metadata.get("between")
    if longest is not None and isinstance(value, str) and len(value) > longest:
        raise RangeMistake(f"{place}: expected at most {longest} characters, got {len(value)}", field.name)
    if between is not None and isinstance(value, int) and not between[0] <= value <= between[1]:
        raise RangeMistake(f"{place}: expected {between[0]} to {between[1]}, got a number beyond", field.name)


def say(record: Record, personal: bool = False, speak: Callable[[str], str] = str) -> str:
    """A record as one line for people: 缺纸 paper out (over); its fields follow as name=value.

    `speak` puts a sentence into another language.
    """
    written = to_json(record, personal)
    name = written.pop("news" if isinstance(record, News) else "order")
    parts = [SAID.get(name, name)]
    if isinstance(record, roles.Trouble):
        parts.append("（已恢复 over）" if written.pop("over") else "")
    parts += [f"{key}={_word(key, value, speak)}" for key, value in written.items() if _worth(key, value)]
    return " ".join(p for p in parts if p)


def _worth(key: str, value: Any) -> bool:
    """Names of orders in programs, and what has been kept without its picture, say nothing to people."""
    return key != "id" and value not in ("", None) and not (isinstance(value, dict) and value.get("bytes") == 0)


def _word(key: str, value: Any, speak: Callable[[str], str]) -> Any:
    if key == "order":
        return SAID.get(value, value)
    if isinstance(value, Sentence):
        return speak(value)
    return f"{value['bytes']} bytes" if isinstance(value, dict) and "bytes" in value else value


def _called(hint: Any) -> str:
    """What a type is called in an error: 'int', 'text', 'one of call_next, recall'."""
    options = get_args(hint) or (hint,)
    if get_origin(hint) is tuple:
        return f"a list of {_called(options[0])}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of " + ", ".join(str(m.value) for m in hint)
    names = {str: "text", bytes: "base64 text", NoneType: "null", bool: "true or false", int: "int"}
    return " or ".join(names.get(o, getattr(o, "__name__", str(o))) for o in options)


def _value(place: str, hint: Any, value: object) -> object:
    """`value` as the field's type wants it; nothing is guessed: "4" is no int, 1 is no bool."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        if value in [m.value for m in hint]:
            return hint(value)
    elif hint is bytes:
        if isinstance(value, str):
            try:
                return base64.b64decode(value, validate=True)
            except ValueError as e:
                raise WordMistake(f"{place}: expected base64 text ({e})") from e
    elif get_origin(hint) is tuple:
        if isinstance(value, list):
            inner = get_args(hint)[0]
            return tuple(_value(f"{place}[{i}]", inner, one) for i, one in enumerate(value, 1))
    elif dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, Mapping):
            return build(hint, value)
    elif type(value) in (get_args(hint) or (hint,)):
        return value
    raise WordMistake(f"{place}: expected {_called(hint)}, got {value!r}")
