"""What the terminal knows of a person, and that it forgets it."""

import sys
from datetime import date

import pytest

from devices.roles import CardPresented
from kiosk.session import Session, age_on, look_at, masked_name, masked_number

TODAY = date(2026, 11, 20)


def card(**changes):
    number = "".join(["1101", "0119", "4903", "0788", "9X"])
    fields = {"kind": "citizen", "name": "".join(["买", "买提江"]), "id_number": number, "birth": number[6:14]}
    return CardPresented(**{**fields, **changes})


def test_a_card_becomes_four_harmless_words_and_is_overwritten():
    given = card(address_text="".join(["人民路", "1号🀄"]))
    number, name, address = given.id_number, given.name, given.address_text
    del number, name, address  # the card must be the only holder
    shown = look_at(given, TODAY)
    assert (shown.name, shown.number, shown.age) == ("买***", "11**************9X", 77)
    assert set(given.id_number) == set(given.name) == set(given.birth) == set(given.address_text) == {"*"}
    assert len(given.id_number) == 18 and len(given.address_text) == 6


def test_strings_that_others_hold_are_left_alone():
    nation = "".join(["维吾", "尔"])
    given = card(nation=nation)
    look_at(given, TODAY)
    assert nation == "维吾尔"


def test_constants_are_left_alone():
    look_at(card(name="张三丰", sex="女"), TODAY)
    assert "".join(["张", "三", "丰"]) == "张三丰"
    assert sys.intern("女") == "女"


@pytest.mark.parametrize(
    ("birth", "age"),
    [
        ("19661120", 60),
        ("19661121", 59),
        ("20000229", 26),
        ("", None),
        ("长期", None),
        ("20001301", None),
        ("2000010", None),
    ],
)
def test_age_in_whole_years(birth, age):
    assert age_on(birth, TODAY) == age


def test_masks():
    assert masked_name("") == "" and masked_name("张") == "张" and masked_name("张三") == "张*"
    assert masked_number("123") == "***" and masked_number("") == ""
    assert masked_number("H1234567") == "H1****67"


def test_wiping_puts_every_field_back_and_names_a_new_session():
    session = Session()
    before = session.id
    for field in vars(session):
        if field not in ("id", "history", "elder"):
            setattr(session, field, "something of a person")
    session.history.append("home")
    session.elder = True
    history = session.history
    session.wipe()
    fresh = Session()
    assert session.id != before
    assert {k: v for k, v in vars(session).items() if k != "id"} == {k: v for k, v in vars(fresh).items() if k != "id"}
    assert history == []


def test_what_is_wanted():
    assert Session().wanted == ("", "")
    assert Session(service={"code": "x"}).wanted == ("service", "x")
    assert Session(service={"code": "A", "is_queue": True}).wanted == ("queue", "A")
