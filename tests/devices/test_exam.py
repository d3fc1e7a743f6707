"""The exam every driver and its simulator sit: obey all orders, report all news, survive a bad line.

Being in `devices/drivers/` is being examined. With `--bench hall.toml` the devices named there sit it as well, each on
its own cable; a person does what the exam asks for.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import random
import re
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from config.machine import load
from config.reader import fields_of
from devices import drivers, roles
from devices.driver import OrderMistake
from devices.links import SCHEMES
from devices.options import parse_options, read_options
from devices.roles import (
    Alive,
    AskRating,
    Beep,
    Call,
    CardPresented,
    CardRemoved,
    CardUnreadable,
    CodeScanned,
    DocumentRead,
    DocumentState,
    DocumentUnreadable,
    FrameSeen,
    Garbled,
    Key,
    KeyPressed,
    NewestAddress,
    News,
    Obeyed,
    Order,
    PedalPressed,
    PrintDocument,
    PrintSlip,
    PrintTest,
    Rated,
    ReadCard,
    ReaderFault,
    ReadNewestAddress,
    ResetReader,
    ShowCall,
    ShowCalls,
    ShowNumber,
    ShowPaused,
    ShowServing,
    ShowStars,
    ShowText,
    ShowWelcome,
    Silent,
    StillTaken,
    StopScan,
    TakeStill,
    TriggerScan,
    Trouble,
    Unconfirmed,
)
from devices.station import DeviceEntry, Station

CARD = CardPresented(
    kind="citizen",
    name="张三丰",
    id_number="110101199003070134",
    sex="男",
    nation="汉",
    birth="19900307",
    address_text="北京市东城区某某街道1号院",
    authority="北京市公安局东城分局",
    start="20200101",
    end="20400101",
)


def picture(colour: str) -> bytes:
    """A small JPEG with something on it."""
    image = Image.new("RGB", (640, 480), colour)
    for i in range(0, 640, 16):
        image.paste((i % 256, 255 - i % 256, 128), (i, 100, i + 8, 380))
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


ORDERS: list[Order] = [
    PrintSlip(
        hall="某某区政务服务中心",
        service="社会保险登记（单位）",
        number="A007",
        ahead=3,
        wait_minutes=12,
        zone="B区",
        time="2026-03-02 09:15",
        url="https://hall.example/t/4f9a",
        complaint_phone="12345",
    ),
    PrintTest(),
    PrintDocument(title="一次性告知单", pdf=b"%PDF-1.4\n%%EOF\n", copies=2),
    ReadCard(),
    ReadNewestAddress(),
    ResetReader(),
    TriggerScan(),
    StopScan(),
    ShowNumber(number="007", waiting=12),
    Beep(),
    AskRating(),
    ShowStars(stars=4),
    ShowCall(number="A007", window=3),
    ShowWelcome(),
    ShowServing(number="A007", window=3),
    ShowPaused(),
    ShowText(text="请稍候"),
    ShowCalls(calls=(Call(number="A007", window=3),)),
    TakeStill(),
]
NEWS: list[News] = [
    CARD,
    CardUnreadable(reason="", status="41"),
    CardRemoved(),
    NewestAddress(address_text="上海市徐汇区某某路2弄3号"),
    ReaderFault(status="66"),
    DocumentRead(
        kind="TD3",
        code="P",
        document_number="L898902C3",
        issuer="UTO",
        surname="ERIKSSON",
        given_names="ANNA MARIA",
        nationality="UTO",
        birth="740812",
        sex="F",
        expiry="120415",
        optional="ZE184226B",
    ),
    DocumentUnreadable(reason=""),
    CodeScanned(text="https://hall.example/t/4f9a"),
    CodeScanned(text="粤港澳大湾区一码通办", encoding="gb18030"),
    KeyPressed(key=Key.CALL_NEXT),
    KeyPressed(key=Key.RECALL),
    *(Rated(grade=grade) for grade in (5, 4, 3, 2, 1)),
    PedalPressed(),
    FrameSeen(jpeg=picture("white"), width=640, height=480),
    StillTaken(jpeg=picture("white"), width=640, height=480),
    DocumentState(state="completed", pages=1),
    *(trouble() for trouble in Trouble.__subclasses__() if trouble is not ReaderFault),
]
BEFORE: dict[type, tuple[News, ...]] = {  # what must have happened for an order to be possible
    ReadCard: (CARD,),
    ReadNewestAddress: (CARD, NewestAddress(address_text="上海市徐汇区某某路2弄3号")),
    CardRemoved: (CARD,),
    NewestAddress: (CARD,),
    TakeStill: (FrameSeen(jpeg=picture("white"), width=640, height=480),),
}
ANSWERS_TO: dict[type, Order] = {
    NewestAddress: ReadNewestAddress(),
    StillTaken: TakeStill(),
    DocumentState: PrintDocument(title="一次性告知单", pdf=b"%PDF-1.4\n%%EOF\n"),
}
ASKED_FOR = {StillTaken: AskRating()}  # news that only comes when asked for
BARE = ("ascii-pad",)  # what they say has neither a beginning nor a check value
WORDY = ("reason", "detail", "code", "hex", "asked", "granted")  # each family has its own words for these


def variants() -> Iterable[tuple[str, dict[str, Any]]]:
    """Every driver as it comes, and with each choice of each option."""
    for name in drivers.names():
        yield name, {}
        for key, (field, _) in fields_of(drivers.load(name).Driver.Options).items():
            for choice in field.metadata.get("choices", ()):
                if choice != field.default:
                    yield name, {key: choice}


def variant_id(given: object) -> str:
    return str(given) if isinstance(given, str) else ",".join(f"{k}={v}" for k, v in dict(given).items())  # type: ignore[call-overload]


every_driver = pytest.mark.parametrize("name", drivers.names())
every_variant = pytest.mark.parametrize(("name", "options"), list(variants()), ids=variant_id)


def orders_of(driver: Any) -> list[Order]:
    own = {kind for role in driver.roles for kind in role.orders if not driver.lacks(kind)}
    missing = own - {type(order) for order in ORDERS}
    assert not missing, f"the exam has no example of {missing}"
    return [order for order in ORDERS if type(order) in own]


def news_of(driver: Any) -> list[News]:
    own = {kind for role in driver.roles for kind in role.news if not driver.lacks(kind)}
    missing = own - {type(news) for news in NEWS}
    assert not missing, f"the exam has no example of {missing}"
    return [news for news in NEWS if type(news) in own]


def plain(record: News | Order) -> tuple[Any, ...]:
    """A record without what differs from family to family: its wording, and 0 for the first address."""
    given = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    kept = {k: v for k, v in given.items() if k not in (*WORDY, "id", "address")}
    return (type(record).__name__, *sorted(kept.items(), key=lambda item: item[0]))


def heard(news: Iterable[News], about: News | None = None) -> list[tuple[Any, ...]]:
    """News without what any line brings by itself; a live view or a job goes on, so only what it is `about` counts."""
    out: list[tuple[Any, ...]] = []
    for one in news:
        if isinstance(one, Alive | Garbled | Silent | Obeyed):
            continue
        if isinstance(one, FrameSeen | DocumentState) and one != about:
            continue
        out.append(plain(one))
    return out


def crumbs(answer: bytes) -> list[bytes]:
    """An answer byte by byte; of a picture the long middle in one piece."""
    head, middle, tail = answer[:2000], answer[2000:-2000], answer[max(2000, len(answer) - 2000) :]
    return [*(head[i : i + 1] for i in range(len(head))), middle, *(tail[i : i + 1] for i in range(len(tail)))]


def prepare(desk: Any, kind: type) -> None:
    for news in BEFORE.get(kind, ()):
        desk.happen(news)
        desk.settle()


def possible(sim: Any, news: News) -> bool:
    """False when this device, set up as it is, has no such key or picture."""
    if type(news) in ANSWERS_TO:
        return True
    try:
        copy.deepcopy(sim).happen(news)
    except ValueError:
        return False
    return True


def bring(desk: Any, news: News) -> list[tuple[Any, ...]]:
    """Let the news happen and return what is heard of it."""
    prepare(desk, type(news))
    desk.settle(3)
    desk.happen(news)
    if type(news) in ANSWERS_TO:
        return heard(desk.order(ANSWERS_TO[type(news)]), news)
    return heard(desk.settle(), news)


# ---- orders -------------------------------------------------------------------------------------------------


@every_variant
def test_obeys_every_order_of_its_roles(name: str, options: dict[str, Any], table: Any) -> None:
    desk = table(name, options)
    for order in orders_of(desk.driver):
        prepare(desk, type(order))
        desk.settle(3)
        numbered = dataclasses.replace(order, id="o1")
        outcome = [n for n in desk.order(numbered) if isinstance(n, Obeyed | roles.Refused | Unconfirmed)]
        wanted: type = Obeyed if desk.driver.answers else Unconfirmed
        assert [(type(n), n.order, n.id) for n in outcome] == [(wanted, type(order).__name__, "o1")], order
        assert [plain(o) for o in desk.obeyed] == [plain(order)]


@every_driver
def test_an_order_of_another_trade_is_our_own_mistake(name: str, table: Any) -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class BrewTea(Order):
        pass

    desk = table(name)
    own = {kind for role in desk.driver.roles for kind in role.orders}
    for order in [BrewTea(), *(o for o in ORDERS if type(o) not in own)]:
        with pytest.raises(OrderMistake):
            desk.driver.encode(order)
        with pytest.raises(OrderMistake):
            desk.driver.take(order)
        assert desk.driver.idle
        assert desk.driver.owed() == b""


@every_driver
def test_encoding_changes_nothing(name: str, table: Any) -> None:
    desk = table(name)
    for order in orders_of(desk.driver):
        assert desk.driver.encode(order) == desk.driver.encode(order) != b""
        assert desk.driver.idle
        assert desk.driver.owed() == b""


@every_driver
def test_a_cable_that_goes_in_the_middle_leaves_no_order_behind(name: str, table: Any) -> None:
    for order in orders_of(table(name).driver):
        desk = table(name)
        desk.settle()
        for _ in range(50):  # until it is free
            if desk.driver.idle:
                break
            desk.moment()
        desk.driver.take(dataclasses.replace(order, id="o2"))
        desk.driver.owed()
        outcome = [n for n in desk.driver.lost() if isinstance(n, Obeyed | roles.Refused | Unconfirmed)]
        assert [(n.order, n.id) for n in outcome] == [(type(order).__name__, "o2")]
        assert not isinstance(outcome[0], Obeyed)
        desk.driver.reset()
        assert desk.driver.idle
        assert desk.driver.lost() == []


# ---- news ---------------------------------------------------------------------------------------------------


@every_variant
def test_reports_every_news_of_its_roles(name: str, options: dict[str, Any], table: Any) -> None:
    seen, due = set(), news_of(table(name, options).driver)
    for news in due:
        desk = table(name, options)
        desk.settle()
        if possible(desk.sim, news):
            seen.add(type(news))
            assert bring(desk, news) == [plain(news)]
    assert seen == {type(news) for news in due}


@every_driver
def test_reports_the_same_when_bytes_come_one_by_one(name: str, table: Any) -> None:
    for news in news_of(table(name).driver):
        desk = table(name)
        desk.shape = crumbs
        desk.settle()
        assert bring(desk, news) == [plain(news)]


@every_driver
def test_reports_the_same_with_noise_before(name: str, table: Any) -> None:
    for seed, news in enumerate(news_of(table(name).driver)):
        desk = table(name)
        desk.settle()
        prepare(desk, type(news))
        noise = random.Random(seed).randbytes(40).replace(b"\r", b"")
        desk.news += desk.driver.feed(noise)
        desk.speak()
        if roles.CODE_SCANNER in desk.driver.roles or name in BARE:
            desk.moment()  # a bare code has no beginning: only a pause parts it from noise
        desk.happen(news)
        got = heard(desk.order(ANSWERS_TO[type(news)]) if type(news) in ANSWERS_TO else desk.settle(), news)
        assert got == [plain(news)]


@every_driver
def test_reports_the_same_with_the_next_frame_behind(name: str, table: Any) -> None:
    desk = table(name)
    desk.settle()
    spoken = [n for n in news_of(desk.driver) if not isinstance(n, DocumentState | FrameSeen | StillTaken | Trouble)]
    frames = [(news, desk.sim.happen(news)) for news in spoken]
    spontaneous = [(news, frame) for news, frame in frames if frame]
    desk.hear(b"".join(frame for _, frame in spontaneous))
    assert heard(desk.settle(2)) == [plain(news) for news, _ in spontaneous] or not spontaneous


@every_driver
def test_tells_each_trouble_once_when_it_starts_and_once_when_it_ends(name: str, table: Any) -> None:
    troubles = [n for n in news_of(table(name).driver) if isinstance(n, Trouble)]
    for trouble in troubles:
        desk = table(name)
        desk.settle()
        over = dataclasses.replace(trouble, over=True)
        first = bring(desk, trouble)
        still = heard(desk.settle())
        after = bring(desk, over)
        assert (first, still, after, heard(desk.settle())) == ([plain(trouble)], [], [plain(over)], [])


@every_driver
def test_is_alive_only_once_it_has_answered(name: str, table: Any) -> None:
    desk = table(name)
    if not desk.driver.answers:
        return
    assert not [n for n in desk.driver.feed(b"") if isinstance(n, Alive)]
    assert len({n.address for n in desk.settle() if isinstance(n, Alive)}) >= 1
    assert [n for n in desk.settle() if isinstance(n, Alive)] == [], "told again without a reason"


# ---- a bad line ---------------------------------------------------------------------------------------------


@every_driver
def test_survives_a_babbling_line_and_works_after_it(name: str, table: Any) -> None:
    desk = table(name)
    desk.settle()
    for seed in (1, 2):
        noise = random.Random(seed)
        tracemalloc.start()
        for _ in range(40):
            babble = noise.randbytes(noise.choice((1, 7, 512, 65536)))
            desk.driver.feed(babble)
            desk.driver.owed()
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept < 2_000_000, f"keeps {kept} bytes of noise"
    desk.settle()
    for order in orders_of(desk.driver)[:1]:
        prepare(desk, type(order))
        outcome = [n for n in desk.order(order) if isinstance(n, Obeyed | roles.Refused | Unconfirmed)]
        assert [type(n) for n in outcome] == [Obeyed if desk.driver.answers else Unconfirmed]
    for news in news_of(desk.driver)[:1]:
        assert bring(desk, news)[-1] == plain(news)  # a card laid down before is lifted first


@every_driver
def test_a_silent_device_is_noticed_and_its_return_too(name: str, table: Any) -> None:
    desk = table(name)
    if not desk.driver.answers or desk.driver.timing.poll_every is None:
        return
    desk.settle()
    receive, desk.sim.receive = desk.sim.receive, lambda data: b""
    addresses = {n.address for n in desk.settle(60) if isinstance(n, Silent) and not n.over}
    assert addresses
    desk.sim.receive = receive
    back = desk.settle(60)
    assert {n.address for n in back if isinstance(n, Silent) and n.over} == addresses
    assert {n.address for n in back if isinstance(n, Alive)} == addresses


# ---- what a driver says of itself -----------------------------------------------------------------------------


@every_variant
def test_options_are_the_same_after_a_round_trip(name: str, options: dict[str, Any]) -> None:
    made = read_options(name, options)
    assert read_options(name, dataclasses.asdict(made)) == made
    words = [f"{key}={value}" for key, value in options.items()]
    assert parse_options(name, words) == made


@every_driver
def test_says_whom_it_follows(name: str) -> None:
    module = drivers.load(name)
    summary, _, rest = (module.__doc__ or "").partition("\n")
    assert summary.endswith("."), "the first line is a sentence a clerk could follow"
    assert re.search(r"document|manual|reference|guide|specification|standard|protocol|system|协议", rest, re.I)


@every_driver
def test_says_only_what_it_can_keep(name: str) -> None:
    cls = drivers.load(name).Driver
    known = {kind for role in cls.roles for kind in (*role.orders, *role.news)}
    assert cls.roles
    assert set(cls.cannot) <= known
    assert all(reason.strip() for reason in cls.cannot.values())
    assert set(cls.links) <= set(SCHEMES)
    assert known - set(cls.cannot), "a driver that can do nothing"


# ---- real devices -----------------------------------------------------------------------------------------------


def test_the_devices_of_the_bench_obey(request: pytest.FixtureRequest, diary: Any, until: Any, closing: Any) -> None:
    """With `--bench hall.toml`: every device there becomes ready and obeys every order of its roles.

    Orders that need a card or a code on the device print what to do and give the person twenty seconds.
    """
    file = request.config.getoption("--bench")
    machine = load(Path(file)) if file else None
    entries = [
        DeviceEntry(d.name, d.driver, d.link, d.options, d.windows)
        for d in (machine.devices if machine else ())
        if d.enabled
    ]
    station = closing(Station(entries, diary))
    capture = request.config.pluginmanager.getplugin("capturemanager")
    for entry in entries:
        module = drivers.load(entry.driver)
        driver = module.Driver(read_options(entry.driver, entry.options))  # type: ignore[arg-type]
        until(lambda name=entry.name: station.state(name).state in ("ready", "degraded"), 20)
        for order in orders_of(driver):
            if type(order) in BEFORE:
                with capture.global_and_fixture_disabled():
                    print(f"\n{entry.name}: lay something on it for {type(order).__name__}, then press Enter")
                with open("/dev/tty", encoding="utf-8") as person:
                    person.readline()
            outcome = station.send(entry.name, order, timeout=20).result(30)
            assert isinstance(outcome, Obeyed if driver.answers else Unconfirmed), (entry.name, order, outcome)
