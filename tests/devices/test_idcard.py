"""The text block of the four cards, written here by hand from the table of its layouts, and their numbers."""

from __future__ import annotations

import pytest

from devices import idcard
from devices.roles import CardPresented


def block(*parts: tuple[int, str], letter: str = " ") -> bytes:
    """256 bytes of UTF-16LE spaces with texts laid over them at byte offsets."""
    out = bytearray(b" \0" * 128)
    for at, text in (*parts, (248, letter)):
        raw = text.encode("utf-16-le")
        out[at : at + len(raw)] = raw
    return bytes(out)


CITIZEN = block(
    (0, "张三丰"),
    (30, "1"),
    (32, "46"),
    (36, "19900307"),
    (52, "北京市东城区某某街道1号院"),
    (122, "110101199003070134"),
    (158, "北京市公安局东城分局"),
    (188, "20200101"),
    (204, "长期"),
)
HMT = block(
    (0, "陳大文"),
    (30, "1"),
    (36, "19990102"),
    (52, "广东省深圳市某某路2号"),
    (122, "810000199901020036"),
    (158, "深圳市公安局"),
    (188, "20190101"),
    (204, "20240101"),
    (220, "H12345678"),
    (238, "02"),
    letter="J",
)
FOREIGNER_2017 = block(
    (0, "ERIKSSON, ANNA MARIA"),
    (120, "2"),
    (122, "UTO110074081201"),
    (152, "UTO"),
    (158, "安娜"),
    (188, "20170101"),
    (204, "20270101"),
    (220, "19740812"),
    (236, "01"),
    (240, "1500"),
    letter="I",
)
LONG_NAME = "WOLFESCHLEGELSTEINHAUSEN HANS ADOLF BERGERDORFF"[:46]
FOREIGNER_2023 = block(
    (0, "汉斯"),
    (30, "1"),
    (32, "03"),
    (36, "19810803"),
    (52, LONG_NAME[:35]),
    (122, "911124198108030024"),
    (188, "20231201"),
    (204, "20331130"),
    (220, LONG_NAME[35:]),
    (242, "UTO"),
    (250, "001"),
    letter="Y",
)


def test_a_citizens_card() -> None:
    assert idcard.read_text(CITIZEN) == CardPresented(
        kind="citizen",
        name="张三丰",
        sex="男",
        nation="德昂",
        birth="19900307",
        address_text="北京市东城区某某街道1号院",
        id_number="110101199003070134",
        authority="北京市公安局东城分局",
        start="20200101",
        end="长期",
    )


def test_a_residence_card_of_hong_kong_macao_and_taiwan() -> None:
    card = idcard.read_text(HMT)
    assert (card.kind, card.nation, card.pass_number, card.issue_count) == ("hmt", "", "H12345678", "02")
    assert (card.name, card.id_number, card.id_valid) == ("陳大文", "810000199901020036", True)


def test_a_foreigners_card_of_2017() -> None:
    card = idcard.read_text(FOREIGNER_2017)
    assert (card.kind, card.name, card.english_name) == ("foreigner2017", "安娜", "ERIKSSON, ANNA MARIA")
    assert (card.sex, card.nationality, card.birth, card.authority) == ("女", "UTO", "19740812", "1500")
    assert card.id_number == "UTO110074081201"


def test_a_foreigners_card_of_2023_joins_the_name_extension() -> None:
    card = idcard.read_text(FOREIGNER_2023)
    assert (card.kind, card.name, card.english_name) == ("foreigner2023", "汉斯", LONG_NAME)
    assert (card.nationality, card.issue_count, card.old_number) == ("UTO", "03", "001")
    assert card.id_valid


@pytest.mark.parametrize("text", [CITIZEN, HMT, FOREIGNER_2023], ids=["citizen", "hmt", "2023"])
def test_what_is_written_is_what_was_read(text: bytes) -> None:
    assert idcard.write_text(idcard.read_text(text)) == text


def test_a_name_outside_the_first_plane_keeps_its_fields_in_place() -> None:
    text = block((0, "𠮷三"), (30, "2"), (122, "310115199003070025"))
    card = idcard.read_text(text)
    assert (card.name, card.sex, card.id_number) == ("𠮷三", "女", "310115199003070025")


def test_an_unknown_card_is_refused_and_named() -> None:
    with pytest.raises(idcard.CardMistake, match="'Q'"):
        idcard.read_text(block((0, "某某"), letter="Q"))
    with pytest.raises(idcard.CardMistake, match="255 bytes"):
        idcard.read_text(CITIZEN[:-1])


def test_a_field_that_does_not_fit_is_refused() -> None:
    with pytest.raises(idcard.CardMistake, match="name: holds 15 characters, got 16"):
        idcard.write_text(CardPresented(kind="citizen", name="某" * 16, id_number=""))
    with pytest.raises(idcard.CardMistake, match="no code for '火星'"):
        idcard.write_text(CardPresented(kind="citizen", name="某", id_number="", nation="火星"))


@pytest.mark.parametrize(
    ("kind", "number", "right"),
    [
        ("citizen", "110101199003070134", True),
        ("citizen", "310115199003070025", True),
        ("citizen", "110101199003070135", False),
        ("citizen", "11010119900307013", False),
        ("citizen", "１10101199003070134", False),
        ("hmt", "810000199901020036", True),
        ("hmt", "830000199003070019", True),
        ("hmt", "830000199003070010", False),
        ("foreigner2023", "911124198108030024", True),
        ("foreigner2023", "911124198108030025", False),
        ("foreigner2017", "UTO110074081201", True),
        ("foreigner2017", "UT0110074081201", False),
    ],
)
def test_numbers(kind: str, number: str, right: bool) -> None:
    assert idcard.number_is_right(kind, number) is right


def test_a_right_check_digit_does_not_save_a_birthday_that_never_was() -> None:
    first = "11010119900231013"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    digit = "10X98765432"[sum(int(d) * w for d, w in zip(first, weights, strict=True)) % 11]
    assert not idcard.number_is_right("citizen", first + digit)


def test_the_nations_are_all_there() -> None:
    assert len(idcard.NATIONS) == 58
    assert [idcard.NATIONS[code] for code in ("01", "20", "46", "56")] == ["汉", "傈僳", "德昂", "基诺"]
    assert "26" in idcard.NATIONS and "45" in idcard.NATIONS
