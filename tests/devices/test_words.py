"""Orders and news as JSON: strict, complete, and silent about people."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from typing import Any

import pytest

from devices.roles import (
    Call,
    CardPresented,
    FrameSeen,
    Key,
    KeyPressed,
    LinkDown,
    News,
    Obeyed,
    Order,
    PaperOut,
    PrintSlip,
    Rated,
    ShowCalls,
    ShowNumber,
    StillTaken,
)
from devices.words import WordMistake, classes, from_json, kept, say, to_json

SLIP = {
    "hall": "政务服务中心",
    "service": "社保",
    "number": "A007",
    "ahead": 3,
    "wait_minutes": 12,
    "zone": "B区",
    "time": "09:15",
    "url": "https://hall.example/t/1",
    "complaint_phone": "12345",
}
CARD = CardPresented(kind="citizen", name="张三丰", id_number="110101199003070134", sex="男", address_text="北京市")


def example(cls: type[Any]) -> Any:
    """An instance with a value in each field that must be given."""
    values = {"str": "某", "int": 3, "int | None": 3, "bytes": b"\xff\xd8", "Key": Key.RECALL, "bool": True}
    given = {f.name: values[str(f.type)] for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING}
    return cls(**given)


@pytest.mark.parametrize("cls", [*classes(Order).values(), *classes(News).values()])
def test_every_record_comes_back_as_it_went(cls: type[Any]) -> None:
    record = example(cls)
    written = json.loads(json.dumps(to_json(record, personal=True)))
    for f in dataclasses.fields(cls):
        if f.metadata.get("bulk"):
            written[f.name] = base64.b64encode(getattr(record, f.name)).decode()
    assert from_json(written) == record


def test_the_class_comes_first_and_what_says_nothing_is_left_out() -> None:
    assert list(to_json(PrintSlip(**SLIP))) == ["order", *SLIP, "reprint", "offline"]
    assert to_json(KeyPressed(key=Key.CALL_NEXT, address=4)) == {
        "news": "KeyPressed",
        "key": "call_next",
        "code": "",
        "address": 4,
    }
    assert to_json(Obeyed(order="PrintSlip", id="7")) == {"news": "Obeyed", "order": "PrintSlip", "id": "7"}


def test_people_are_masked_unless_asked_for() -> None:
    shown = to_json(CARD)
    assert (shown["name"], shown["id_number"]) == ("张**", "110***********0134")
    assert (shown["sex"], shown["address_text"], shown["birth"]) == ("***", "***", "")
    text = json.dumps(shown, ensure_ascii=False) + say(CARD)
    assert not any(secret in text for secret in ("三丰", "199003", "北京", "男"))
    assert to_json(CARD, personal=True)["id_number"] == "110101199003070134"


def test_every_field_that_may_name_a_person_is_masked() -> None:
    for cls in classes(News).values():
        personal = [f.name for f in dataclasses.fields(cls) if f.metadata.get("personal")]
        record = dataclasses.replace(example(cls), **dict.fromkeys(personal, "张三丰110101199003070134"))
        assert "19900307" not in json.dumps(to_json(record), ensure_ascii=False) + say(record)


def test_a_picture_is_told_by_its_size() -> None:
    shown = to_json(FrameSeen(jpeg=b"\xff\xd8\xff", width=640, height=480), personal=True)
    assert shown["jpeg"] == {"bytes": 3, "sha256": hashlib.sha256(b"\xff\xd8\xff").hexdigest()[:16]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "expected a JSON object"),
        ({}, 'neither "order" nor "news"'),
        ({"news": "Trouble"}, "there is no 'Trouble'"),
        ({"order": "PaperOut"}, "there is no 'PaperOut'"),
        ({"order": ["PrintTest"]}, "there is no"),
        ({"order": "PrintSlip", **SLIP, "colour": 1}, "PrintSlip.colour: no such field"),
        ({"order": "PrintSlip", "hall": "x", "service": "y", "ahead": 1}, "PrintSlip.number: missing, expected text"),
        ({"order": "PrintSlip", **SLIP, "ahead": "3"}, "PrintSlip.ahead: expected int, got '3'"),
        ({"order": "PrintSlip", **SLIP, "ahead": True}, "PrintSlip.ahead: expected int, got True"),
        ({"order": "PrintSlip", **SLIP, "wait_minutes": 1.5}, "PrintSlip.wait_minutes: expected int or null, got 1.5"),
        ({"news": "PaperOut", "over": 1}, "PaperOut.over: expected true or false"),
        ({"news": "KeyPressed", "key": "coffee"}, "KeyPressed.key: expected one of call_next"),
        ({"news": "FrameSeen", "jpeg": "§"}, "FrameSeen.jpeg: expected base64 text"),
    ],
)
def test_a_mistake_names_its_place_and_what_was_expected(data: object, said: str) -> None:
    with pytest.raises(WordMistake) as wrong:
        from_json(data)
    assert said in str(wrong.value)


def test_news_is_not_taken_for_an_order() -> None:
    with pytest.raises(WordMistake, match="expected news"):
        from_json({"order": "PrintTest"}, News)
    assert from_json({"news": "Obeyed", "order": "PrintTest"}, News) == Obeyed(order="PrintTest")
    assert from_json({"order": "ShowNumber", "number": None}, Order) == ShowNumber()


def test_words_for_people_say_when_it_is_over() -> None:
    assert say(PaperOut()) == "缺纸 paper out"
    assert say(PaperOut(over=True, address=2)) == "缺纸 paper out （已恢复 over） address=2"
    assert say(LinkDown(reason="拔出")) == "链路断开 cable gone reason=拔出"


def test_a_list_of_calls_goes_to_json_and_back():
    order = ShowCalls(calls=(Call(number="A007", window=3), Call(number="B001", window=12)))
    written = to_json(order)
    assert written == {
        "order": "ShowCalls",
        "calls": [{"number": "A007", "window": 3}, {"number": "B001", "window": 12}],
    }
    assert from_json(json.loads(json.dumps(written))) == order
    with pytest.raises(WordMistake, match=r"ShowCalls\.calls: expected a list of Call, got 'A007'"):
        from_json({"order": "ShowCalls", "calls": "A007"})
    with pytest.raises(WordMistake, match=r"Call\.window: expected int, got '3'"):
        from_json({"order": "ShowCalls", "calls": [{"number": "A007", "window": "3"}]})


def test_what_is_kept_names_nobody_and_shows_nothing():
    card = CardPresented(kind="citizen", name="张三丰", id_number="110101199003070134", birth="19900307")
    left = kept(card)
    assert (left.name, left.id_number, left.birth) == ("张**", "110***********0134", "***")
    assert say(left) == say(card), "it reads as before"
    assert kept(StillTaken(jpeg=b"\xff\xd8", width=4)) == StillTaken(jpeg=b"", width=4)
    rated = Rated(grade=5)
    assert kept(rated) is rated
