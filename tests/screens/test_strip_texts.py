"""What LED strips show for each event of the hall."""

import pytest

from config.words import translator
from hall_api.domain import events
from screens.strip_texts import StripText, strip_text

CALLED = {"ticket": "t", "number": "A023", "queue": "A", "window": 3, "priority": True}


def test_a_call_flashes_with_number_and_window():
    assert strip_text("TicketCalled", CALLED) == StripText(
        window=3, face="call", text="请A023到3号窗口", number="A023", flashes=True
    )
    assert strip_text("TicketRecalled", CALLED) == strip_text("TicketCalled", CALLED)


@pytest.mark.parametrize(
    ("kind", "data", "face", "text"),
    [
        ("ServiceStarted", CALLED, "serving", "正在办理 A023"),
        ("ServiceFinished", CALLED, "welcome", "欢迎光临"),
        ("TicketTransferred", {"number": "A023", "from_window": 2, "to_window": 3}, "welcome", "欢迎光临"),
        ("WindowPaused", {"window": 3, "reason": "家中有事"}, "paused", "暂停服务"),
        ("WindowClosed", {"window": 3}, "closed", "窗口未开放"),
    ],
)
def test_each_event_has_its_text(kind, data, face, text):
    shown = strip_text(kind, data)
    assert (shown.face, shown.text, shown.flashes) == (face, text, False)
    assert shown.window == data.get("window", data.get("from_window"))


def test_what_a_strip_never_tells():
    paused = strip_text("WindowPaused", {"window": 1, "reason": "家中有事"})
    assert "家中" not in paused.text
    assert strip_text("TicketRated", {**CALLED, "grade": 1}) is None
    assert strip_text("RatingInvited", CALLED) is None
    assert strip_text("TicketIssued", {"number": "A001", "queue": "A"}) is None


def test_the_second_language():
    shown = strip_text("TicketCalled", CALLED, translator("screens", "en"))
    assert shown.text == "A023 to window 3, please"


def test_every_kind_a_strip_knows_is_an_event_of_the_hall():
    from screens import strip_texts

    assert all(hasattr(events, kind) for kind in strip_texts._FACES)
