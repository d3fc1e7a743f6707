"""Tablets that rate: messages as the deployed service's code and its document write them, and a real WebSocket."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from config.reader import Mistake
from devices.condition import State
from devices.driver import OrderMistake
from devices.drivers.evaluator_tablet import Driver, Options, Simulator
from devices.options import read_options
from devices.pads.keys import RATINGS
from devices.roles import (
    Alive,
    AskRating,
    CardRemoved,
    ClearScreen,
    Garbled,
    KeyPressed,
    LinkDown,
    News,
    PrintTest,
    Rated,
    Refused,
    ShowStars,
    SwitchScreen,
    Unconfirmed,
)
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

LOGIN = b'{"method":"Login","param":{"winNum":"3","userCode":"1001"}}\n'
LOGIN_OF_THE_DOCUMENT = b'{"method":"login","param":{"WindowNumber":3,"UserNumber":1001}}\n'
ALIVE = Alive(detail="a tablet of window 3 has logged in")


def of(**options: Any) -> Driver:
    return Driver(read_options("evaluator-tablet", options))


def said(driver: Driver) -> list[dict[str, Any]]:
    """What goes to the tablet now; each message is a line."""
    out = []
    while line := driver.owed():
        assert line.endswith(b"\n") and line.count(b"\n") == 1
        out.append(json.loads(line))
    return out


def submit(**param: Any) -> bytes:
    return json.dumps({"method": "RateSubmit", "param": param}, ensure_ascii=False).encode() + b"\n"


def ready(**options: Any) -> Driver:
    """A driver whose tablet has logged in."""
    tablet = of(**options)
    assert tablet.feed(LOGIN) == [ALIVE]
    assert said(tablet) == [{"request": "Login", "code": 0, "result": ""}]
    return tablet


def ask(tablet: Driver, number: str = "v17") -> list[dict[str, Any]]:
    tablet.take(AskRating(id=number))
    return said(tablet)


# ---- logging in


@pytest.mark.parametrize("login", [LOGIN, LOGIN_OF_THE_DOCUMENT])
def test_both_spellings_log_in(login: bytes) -> None:
    tablet = of(window="3")
    assert tablet.feed(login) == [ALIVE]
    assert said(tablet)[0]["code"] == 0


def test_the_answer_names_the_method_as_it_was_written() -> None:
    tablet = of()
    tablet.feed(b'{"method":"LOGIN","param":{"WINNUM":"3","USERCODE":"7"}}\n{"method":"heartBEAT"}\n')
    assert [(one["request"], one["code"]) for one in said(tablet)] == [("LOGIN", 0), ("heartBEAT", 0)]


@pytest.mark.parametrize(
    "param",
    [
        '{"winNum":"4","userCode":"1"}',
        '{"winNum":"3"}',
        '{"userCode":"1"}',
        "{}",
        "[]",
        '{"winNum":true,"userCode":"1"}',
    ],
)
def test_a_wrong_window_or_user_is_1002(param: str) -> None:
    tablet = of(window="3")
    assert tablet.feed(f'{{"method":"Login","param":{param}}}\n'.encode()) == []
    assert said(tablet)[0]["code"] == 1002


@pytest.mark.parametrize("method", ["HeartBeat", "RateSubmit"])
def test_without_a_login_it_is_1000(method: str) -> None:
    tablet = of()
    assert tablet.feed(f'{{"method":"{method}","param":{{"attitude":1}}}}\n'.encode()) == []
    assert said(tablet) == [{"request": method, "code": 1000, "result": ""}]


@pytest.mark.parametrize(
    ("method", "code", "result"),
    [
        ("GetWindowList", 0, [{"winNum": "3", "WindowNumber": "3"}]),
        ("GetUserList", 0, []),
        ("GetItemList", 0, []),
        ("GetUpdateInfo", 0, {}),
        ("GetUserPhoto", 1001, ""),
        ("BrewTea", 999, ""),
    ],
)
def test_other_questions_of_a_tablet(method: str, code: int, result: object) -> None:
    tablet = of(window="3")
    tablet.feed(f'{{"method":"{method}"}}\n'.encode())
    assert said(tablet) == [{"request": method, "code": code, "result": result}]
    tablet = of()
    tablet.feed(b'{"method":"GetWindowList"}\n')
    assert said(tablet)[0]["result"] == [], "any window: no list of them is kept here"


# ---- asking


def test_a_question_goes_out_and_is_answered_once() -> None:
    tablet = ready()
    [quest] = ask(tablet)
    assert quest["method"] == "RateQuest"
    assert quest["param"] == {"rateId": "v17", "transactor": "", "item": "", "date": "", "reserveSeq": ""}
    assert not tablet.idle and tablet.patience == 0.1
    [outcome] = tablet.silence()
    assert isinstance(outcome, Unconfirmed) and (outcome.order, outcome.id) == ("AskRating", "v17")
    assert tablet.idle
    given = submit(rateId="v17", attitude=1, quality=2, efficiency=1, honest=1)
    assert tablet.feed(given) == [Rated(grade=4, code="1,2,1,1")]
    assert said(tablet) == [{"request": "RateSubmit", "code": 0, "result": ""}]
    assert tablet.patience is None
    assert tablet.feed(given) == [], "it had not heard our answer"
    assert said(tablet)[0]["code"] == 0


def test_the_documents_spelling_of_a_rating() -> None:
    tablet = ready()
    ask(tablet)
    assert tablet.feed(submit(RateID="v17", Content="非常满意")) == [Rated(grade=5, code="非常满意")]
    assert said(tablet)[0]["code"] == 0


def test_an_unanswered_question_is_asked_again_so_many_times() -> None:
    tablet = ready(again=2, again_seconds=5)
    [quest] = ask(tablet)
    tablet.silence()
    for _ in range(2):
        assert tablet.patience == 5
        assert tablet.silence() == []
        assert said(tablet) == [quest]
    assert tablet.patience is None
    assert tablet.silence() == [] and said(tablet) == []
    assert tablet.feed(submit(rateId="v17", attitude=5)) == [Rated(grade=1, code="5")], "late, but it counts"


def test_it_is_asked_again_when_the_tablet_logs_in_anew() -> None:
    tablet = ready()
    [quest] = ask(tablet)
    tablet.silence()
    assert tablet.feed(LOGIN) == [], "told alive once"
    assert said(tablet) == [{"request": "Login", "code": 0, "result": ""}, quest]


def test_a_new_question_takes_the_place_of_the_old_one() -> None:
    tablet = ready()
    ask(tablet, "v17")
    tablet.silence()
    [quest] = ask(tablet, "v18")
    tablet.silence()
    assert tablet.feed(submit(rateId="v17", attitude=2)) == [Rated(grade=4, code="2")]
    assert tablet.patience == 15
    said(tablet)
    tablet.silence()
    assert said(tablet) == [quest]


def test_a_rating_of_a_question_never_asked_is_1003() -> None:
    tablet = ready()
    ask(tablet)
    for wrong in (submit(rateId="other", attitude=1), submit(rateId="v17", attitude=77), submit(rateId="v17")):
        assert tablet.feed(wrong) == []
        assert said(tablet)[0]["code"] == 1003


def test_a_citizen_may_rate_by_himself() -> None:
    tablet = ready()
    assert tablet.feed(submit(attitude="3")) == [Rated(grade=3, code="3")]
    assert tablet.feed(submit(rateId="", Content="不满意")) == [Rated(grade=2, code="不满意")]


def test_before_anybody_has_logged_in_nothing_is_asked() -> None:
    tablet = of()
    assert ask(tablet) == []
    [outcome] = tablet.silence()
    assert isinstance(outcome, Refused) and "logged in" in outcome.reason
    tablet.feed(LOGIN)
    assert [one.get("method") for one in said(tablet)] == [None]


def test_questions_without_a_number_of_their_own_get_one() -> None:
    tablet = ready()
    numbers = [ask(tablet, "")[0]["param"]["rateId"] for _ in range(2) if tablet.silence() is not None]
    assert len(set(numbers)) == 2


@pytest.mark.parametrize(
    ("order", "operate"),
    [(ClearScreen(), "Reset"), (SwitchScreen(on=True), "Reset"), (SwitchScreen(on=False), "Pause")],
)
def test_what_a_technician_may_order(order: Any, operate: str) -> None:
    tablet = ready()
    ask(tablet)
    tablet.silence()
    tablet.take(order)
    assert said(tablet) == [{"method": "RateOperate", "param": {"operate": operate}}]
    assert isinstance(tablet.silence()[0], Unconfirmed)
    assert tablet.patience is None, "the question is gone from its page"


def test_orders_that_do_not_fit() -> None:
    with pytest.raises(OrderMistake, match="shows the stars"):
        Driver().encode(ShowStars(stars=3))
    with pytest.raises(OrderMistake, match="PrintTest"):
        Driver().encode(PrintTest())


# ---- what the numbers mean


@pytest.mark.parametrize("preset", RATINGS)
def test_numbers_mean_what_the_installer_chose(preset: str) -> None:
    for code, grade in RATINGS[preset].items():
        tablet = ready(ratings=preset)
        assert tablet.feed(submit(attitude=code)) == [Rated(grade=grade or None, code=str(code))]


def test_one_aspect_or_the_worst() -> None:
    poor = submit(attitude=1, quality=1, efficiency=1, honest=5)
    assert ready().feed(poor)[0] == Rated(grade=1, code="1,1,1,5")
    assert ready(overall="attitude").feed(poor)[0] == Rated(grade=5, code="1")
    assert ready(overall="honest").feed(poor)[0] == Rated(grade=1, code="5")
    assert ready(grades={"很好": 5}).feed(submit(Content="很好"))[0] == Rated(grade=5, code="很好")


def test_options_that_cannot_be_are_said() -> None:
    with pytest.raises(Mistake, match="grades: 很好 must be a grade from 5 to 1"):
        read_options("evaluator-tablet", {"grades": {"很好": 6}})


# ---- a bad line


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00\xff\n",
        b"[1,2]\n",
        b'{"method":7}\n',
        b'{"method"\n',
        b"[" * 5000 + b"\n",
        b'{"a":' * 5000 + b"\n",
        b"x" * 70_000,
    ],
)
def test_noise_is_told_once_and_its_end_once(noise: bytes) -> None:
    tablet = ready()
    assert tablet.feed(noise) == [Garbled()]
    assert tablet.feed(noise + b"\n") == []
    assert tablet.feed(b"\r\n" + submit(attitude=1)) == [Garbled(over=True), Rated(grade=5, code="1")]


def test_the_cable_goes() -> None:
    tablet = ready()
    tablet.take(AskRating(id="1"))
    assert isinstance(tablet.lost()[0], Refused)
    tablet.take(AskRating(id="2"))
    said(tablet)
    assert isinstance(tablet.lost()[0], Unconfirmed)
    tablet.reset()
    assert tablet.feed(submit(attitude=1)) == [] and said(tablet)[0]["code"] == 1000, "who dials in anew logs in anew"


# ---- the simulator, and a real WebSocket


def test_the_simulator_logs_in_beats_and_rates() -> None:
    sim = Simulator(Options(window="3"))
    assert json.loads(sim.dialled()) == {"method": "Login", "param": {"winNum": "3", "userCode": "1001"}}
    sim.receive(b'{"request":"Login","code":0,"result":""}\n')
    beats = [one for one in (sim.tick() for _ in range(3000)) if one]
    assert [json.loads(one)["method"] for one in beats] == ["HeartBeat"]
    sim.receive(b'{"request":"HeartBeat","code":1000,"result":""}\n')
    assert not sim.logged_in
    assert any(b"Login" in sim.tick() for _ in range(11))
    sim.receive(b'{"method":"RateOperate","param":{"operate":"Pause"}}\n')
    assert sim.obeyed == [SwitchScreen(on=False)]
    assert b'"Content":"\xe6\xbb\xa1\xe6\x84\x8f"' in sim.happen(Rated(grade=4))
    for news in (CardRemoved(), KeyPressed(key="recall")):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="cannot have"):
            sim.happen(news)


@pytest.mark.parametrize(("fault", "grades"), [("twice", [2]), ("wrong-window", [])])
def test_a_tablet_that_misbehaves(fault: str, grades: list[int], table: Any) -> None:
    desk = table("evaluator-tablet", {"window": "3"}, [fault])
    desk.settle()
    outcome = desk.order(AskRating(id="v1"))
    assert type(outcome[-1]) is (Unconfirmed if grades else Refused)
    desk.happen(Rated(grade=2))
    assert [n.grade for n in desk.settle() if isinstance(n, Rated)] == grades


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.mark.parametrize("scheme", ["ws-listen", "listen"])
def test_a_tablet_dials_in_is_asked_rates_goes_and_comes_back(
    scheme: str, diary: Any, until: Any, closing: Any
) -> None:
    link, options = f"{scheme}://127.0.0.1:{free_port()}", {"window": "3"}
    station = closing(Station([DeviceEntry("tablet", "evaluator-tablet", link, options)], diary))
    until(lambda: station.state("tablet").state is State.ABSENT)
    tablet = closing(SimulatedDevice("evaluator-tablet", options).on_dial(link))
    until(lambda: station.state("tablet").state is State.READY)
    for round_, grade in enumerate((5, 1), start=1):
        assert isinstance(station.send("tablet", AskRating()).result(10), Unconfirmed)
        until(lambda n=round_: len(tablet.obeyed) == n)
        tablet.happen(Rated(grade=grade))
        until(lambda n=round_: len(diary.of(Rated)) == n)
        tablet.unplug()
        until(lambda: station.state("tablet").state is State.ABSENT)
        tablet.plug()
        until(lambda: station.state("tablet").state is State.READY)
    assert [n.grade for n in diary.of(Rated)] == [5, 1]
    told: list[News] = diary.of(LinkDown)
    assert [n.over for n in told if isinstance(n, LinkDown)] == [False, True] * (len(told) // 2)


def test_a_second_tablet_is_kept_out_and_the_first_goes_on(diary: Any, until: Any, closing: Any) -> None:
    link = f"ws-listen://127.0.0.1:{free_port()}"
    station = closing(Station([DeviceEntry("tablet", "evaluator-tablet", link, {})], diary))
    first = closing(SimulatedDevice("evaluator-tablet").on_dial(link))
    until(lambda: station.state("tablet").state is State.READY)
    second = closing(SimulatedDevice("evaluator-tablet").on_dial(link))
    until(lambda: "is connected here already" in second._end.refused)
    first.happen(Rated(grade=4))
    until(lambda: diary.of(Rated))
    assert station.state("tablet").counters["opened"] == 1
