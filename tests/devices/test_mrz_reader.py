"""Travel documents read from their lines: the specimens of ICAO Doc 9303, as a reader would send them."""

from __future__ import annotations

import pytest
from kernel_keys import DROPPED, stroke

from devices import drivers
from devices.roles import DocumentRead, DocumentUnreadable, Garbled

# Doc 9303, parts 4 to 7, appendices: the specimens of Utopia.
TD3 = (b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", b"L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD1 = (b"I<UTOD231458907<<<<<<<<<<<<<<<", b"7408122F1204159UTO<<<<<<<<<<<6", b"ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = (b"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", b"D231458907UTO7408122F1204159<<<<<<<6")
MRVA = (b"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", b"L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
MRVB = (b"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", b"L8988901C4XXX4009078F9612109<<<<<<<<")
SPECIMENS = {"TD3": TD3, "TD1": TD1, "TD2": TD2, "MRVA": MRVA, "MRVB": MRVB}
NUMBERS = {"TD3": "L898902C3", "TD1": "D23145890", "TD2": "D23145890", "MRVA": "L8988901C", "MRVB": "L8988901C"}


def told(sent: bytes, *, one_by_one: bool = False, then_silence: bool = True) -> list[object]:
    """What the driver says of these bytes, its first word apart."""
    reader = drivers.load("mrz-reader").Driver()
    pieces = [sent[n : n + 1] for n in range(len(sent))] if one_by_one else [sent]
    news = [each for piece in pieces for each in reader.feed(piece)]
    news += reader.silence() if then_silence else []
    return [each for each in news if isinstance(each, DocumentRead | DocumentUnreadable)]


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("kind", SPECIMENS)
def test_a_specimen_is_read_whole_and_told_once(kind, ending):
    sent = b"".join(line + ending for line in SPECIMENS[kind])
    for how in (False, True):
        [document] = told(sent, one_by_one=how)
        assert isinstance(document, DocumentRead)
        assert (document.kind, document.document_number) == (kind, NUMBERS[kind])
        assert (document.surname, document.given_names) == ("ERIKSSON", "ANNA MARIA")
        assert document.issuer == "UTO"


def test_the_fields_of_the_passport():
    [document] = told(b"\r".join((*TD3, b"")))
    assert isinstance(document, DocumentRead)
    assert (document.nationality, document.birth, document.sex, document.expiry, document.optional) == (
        "UTO", "740812", "F", "120415", "ZE184226B",
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "line", "place"), [("TD3", 1, 9), ("TD3", 1, 19), ("TD1", 0, 14), ("TD2", 1, 27)])
def test_a_wrong_check_digit_is_never_a_document(kind, line, place):
    lines = [list(text.decode()) for text in SPECIMENS[kind]]
    lines[line][place] = str((int(lines[line][place]) + 1) % 10)
    [news] = told("\r".join(["".join(text) for text in lines] + [""]).encode())
    assert isinstance(news, DocumentUnreadable)
    assert news.reason


def test_a_missing_line_is_told_and_the_next_document_is_read():
    reader = drivers.load("mrz-reader").Driver()
    news = [*reader.feed(TD3[0] + b"\r"), *reader.silence()]
    assert [type(each) for each in news if isinstance(each, DocumentRead | DocumentUnreadable)] == [DocumentUnreadable]
    after = reader.feed(b"\r".join((*TD2, b"")))
    assert [each.kind for each in after if isinstance(each, DocumentRead)] == ["TD2"]


def test_what_passes_there_is_private_and_masked():
    from devices.words import to_json

    assert drivers.load("mrz-reader").Driver.private
    [document] = told(b"\r".join((*TD3, b"")))
    shown = str(to_json(document))
    assert "ERIKSSON" not in shown
    assert "L898902C3" not in shown
    assert "740812" not in shown


# ---- typed on a keyboard -------------------------------------------------------------------------------------

# KEY_1 is 2 … KEY_0 11, KEY_COMMA 51 (with shift: <), KEY_LEFTSHIFT 42.
LETTERS = {letter: code for row, first in (("QWERTYUIOP", 16), ("ASDFGHJKL", 30), ("ZXCVBNM", 44))
           for code, letter in enumerate(row, first)}  # fmt: skip
FIGURES = {figure: code for code, figure in enumerate("1234567890", 2)}


def typed(line: bytes) -> bytes:
    """A line and Enter, letters and < with the shift key held."""
    out = b""
    for sign in line.decode():
        code = {**LETTERS, **FIGURES, "<": 51}[sign]
        out += stroke(code) if sign in FIGURES else stroke(code, held=42)
    return out + stroke(28)


def reader_of_keys():
    module = drivers.load("mrz-reader")
    return module.Driver(module.Options(lines="keys"))


@pytest.mark.parametrize("size", [1, 24, 1000, 100_000])
@pytest.mark.parametrize("kind", SPECIMENS)
def test_a_specimen_that_is_typed_is_read(kind, size):
    sent, reader = b"".join(typed(line) for line in SPECIMENS[kind]), reader_of_keys()
    news = [each for at in range(0, len(sent), size) for each in reader.feed(sent[at : at + size])]
    [document] = [each for each in news if isinstance(each, DocumentRead)]
    assert (document.kind, document.document_number) == (kind, NUMBERS[kind])


def test_a_document_of_which_keys_were_lost_is_never_told():
    reader = reader_of_keys()
    first, second = (typed(line) for line in TD3)
    news = [*reader.feed(first + second[:960] + DROPPED + second[960:]), *reader.silence()]
    assert not [each for each in news if isinstance(each, DocumentRead)]
    assert [each for each in news if isinstance(each, Garbled)] == [Garbled()]
    assert [each.kind for each in reader.feed(first + second) if isinstance(each, DocumentRead)] == ["TD3"]


def test_half_a_key_is_forgotten_after_a_pause():
    reader = reader_of_keys()
    reader.feed(stroke(30)[:40])
    assert reader.patience == 0.5
    assert Garbled() in reader.silence()
    assert reader.patience is None
    assert [type(each) for each in reader.feed(typed(TD3[0]) + typed(TD3[1]))][-1] is DocumentRead


def test_a_reader_that_types_is_heard_on_its_link(pty_path, diary, until, closing):
    from devices.simulate import SimulatedDevice
    from devices.station import DeviceEntry, Station, mistakes

    options = {"lines": "keys"}
    reader = closing(SimulatedDevice("mrz-reader", options).on_pty(pty_path))
    entry = DeviceEntry("passports", "mrz-reader", f"evdev://{pty_path}", options)
    assert mistakes([entry]) == []
    station = closing(Station([entry], diary))
    until(lambda: station.state("passports").counters.get("opened"))
    passport = DocumentRead(
        kind="TD3", code="P", document_number="L898902C3", issuer="UTO", surname="ERIKSSON", birth="740812", sex="F",
        expiry="120415",
    )  # fmt: skip
    reader.happen(passport)
    until(lambda: diary.of(DocumentRead))
    assert diary.of(DocumentRead) == [passport]
