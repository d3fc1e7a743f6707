"""AS-01: a ticket without identity, from the door the kiosk uses to the paper."""

import re
import time

import pytest
from pyzbar.pyzbar import ZBarSymbol, decode

from devices.slip_picture import draw

PERSONAL = re.compile(r"\b[1-9]\d{16}[\dXx]\b|\b1[3-9]\d{9}\b")  # a resident ID number, a mobile phone


@pytest.fixture
def hall(whole_hall):
    hall = whole_hall().open()
    hall.open_windows(1)
    for _ in range(6):
        hall.issue(kiosk=None)
    hall.attend("kiosk")
    hall.all_ready("printer")
    return hall


def test_as_01_a_slip_within_three_seconds_with_everything_on_it(hall, soon):
    assert hall.state_of("printer") == "ready"
    touched = time.monotonic()
    ticket = hall.issue()
    [slip] = soon(lambda: hall.obeyed("printer", "PrintSlip"), 5)
    assert slip["at"] / 1e9 - touched <= 3
    assert (ticket["number"], ticket["ahead"], ticket["wait_minutes"]) == ("A007", 6, 24)
    paper = hall.printer.simulator.paper()
    text = "\n".join(paper)
    wanted = "测试便民服务中心 A007 城乡居民养老保险 前面6人 约24分钟 A区 0477-8580000 12345"
    for words in wanted.split():
        assert words in text, f"{words} is not on the slip:\n{text}"
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", text)
    [picture] = [draw(one, 80) for one in hall.printer.simulator.slips()]
    [code] = decode(picture, symbols=[ZBarSymbol.QRCODE])
    assert code.data.decode() == ticket["url"] == f"{hall.url}/t/{ticket['id']}"


def test_as_01_exactly_one_ticket_and_one_confirmed_job(hall, soon):
    ticket = hall.issue(key="one touch")
    again = hall.issue(key="one touch")
    assert again == ticket
    soon(lambda: [j for j in hall.database()["print_jobs"] if j["state"] == "confirmed"], 5)
    tables = hall.database()
    assert [t["id"] for t in tables["tickets"] if t["number"] == "A007"] == [ticket["id"]]
    assert [(j["ticket"], j["state"], j["first"]) for j in tables["print_jobs"]] == [(ticket["id"], "confirmed", "")]
    assert len(hall.obeyed("printer", "PrintSlip")) == 1
    assert hall.as_("").ticket(ticket["id"])["job"]["state"] == "confirmed"


def test_as_01_no_field_of_the_database_holds_a_name_a_phone_or_an_id(hall, soon):
    """A card lies on the reader meanwhile: nothing of it may reach the hall."""
    from devices.roles import CardPresented

    card = CardPresented(
        kind="citizen", name="张三丰", id_number="110101199003070134", sex="男", nation="汉", birth="19900307",
        address_text="北京市东城区", authority="公安局", start="20200101", end="长期",
    )  # fmt: skip
    soon(lambda: hall.state_of("reader") == "ready", 20)
    hall.street.devices["reader"].happen(card)
    ticket = hall.issue()
    soon(lambda: hall.as_("").ticket(ticket["id"])["job"]["state"] == "confirmed", 5)
    for table, rows in hall.database().items():
        for row in rows:
            for column, value in row.items():
                place = f"{table}.{column}"
                assert not PERSONAL.search(str(value)), f"{place} looks personal"
                for secret in (card.name, card.id_number, card.birth, card.address_text):
                    assert secret not in str(value), f"{place} holds what is on the card"
