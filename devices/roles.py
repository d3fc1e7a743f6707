"""What a device is for: the orders it takes and the news it brings, whoever made it.

Orders are imperatives (`PrintSlip`), news is past or a state of things (`CardPresented`, `PaperOut`). Both are
frozen dataclasses with plain JSON-able fields, so the same record is what a driver encodes, what a simulator is
poked with, and what a command line prints (see `devices.words`). A field that may identify a person carries
`metadata={"personal": True}` and is masked wherever it is shown.

Several devices may share one cable. `address` tells them apart; 0 means "the only one on this cable", and a driver
reads it as the first address in its options.

Trouble is told twice: once when it starts (`over=False`) and once when it ends (`over=True`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Order:
    """Something a device is asked to do. `id` is echoed in the outcome; empty when nobody waits for it."""

    id: str = ""
    address: int = 0


@dataclass(frozen=True, kw_only=True)
class News:
    """Something a device, or the cable to it, has to say."""

    address: int = 0


# ---- what any device may say -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Alive(News):
    """The device has answered in its own protocol; told once after each (re)opening and after a silence ended."""

    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Obeyed(News):
    """The device is known to have done the order (it said so, or its state proves it)."""

    order: str
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Refused(News):
    """The device is known not to have done the order; `reason` is a sentence fit to show to a technician."""

    order: str
    reason: str
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Unconfirmed(News):
    """The bytes went out, but whether the device did it cannot be known; `reason` is a sentence."""

    order: str
    reason: str
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Trouble(News):
    """Something is wrong until the same news comes again with `over=True`."""

    over: bool = False
    grave: ClassVar[bool] = True  # grave trouble stops the device from doing its job; other trouble only degrades it


@dataclass(frozen=True, kw_only=True)
class LinkDown(Trouble):
    """The cable is gone (told by the station, never by a driver)."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Silent(Trouble):
    """The cable is open but the device has left several questions unanswered."""


@dataclass(frozen=True, kw_only=True)
class Exchanged(Trouble):
    """Another device answers than the one this place is known for (told by the station, never by a driver)."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Garbled(Trouble):
    """The line carries bytes that are not this device's language (noise, wrong speed, wrong driver)."""

    grave: ClassVar[bool] = False


# ---- ticket printer ----------------------------------------------------------------------------------------

LINE = {"longest": 200}  # characters; `devices.words` refuses more
COUNT = {"between": (0, 9999)}


@dataclass(frozen=True, kw_only=True)
class PrintSlip(Order):
    """Print one queue slip and cut it. Strings are what the citizen reads; `time` is local, already formatted.

    Longer texts than a slip has room for would print metres: see `LINE`.
    """

    hall: str = field(metadata=LINE)
    service: str = field(metadata=LINE)
    number: str = field(metadata=LINE)
    ahead: int = field(metadata=COUNT)
    wait_minutes: int | None = field(default=None, metadata=COUNT)
    zone: str = field(default="", metadata=LINE)
    time: str = field(default="", metadata=LINE)
    url: str = field(default="", metadata=LINE)
    complaint_phone: str = field(default="", metadata=LINE)
    reprint: bool = False  # a reprint carries 补打
    offline: bool = False  # a number from a lease carries 离线


@dataclass(frozen=True, kw_only=True)
class PrintTest(Order):
    """Print a test page that shows width, Chinese, QR and cut."""


@dataclass(frozen=True, kw_only=True)
class SetRoll(Order):
    """A roll of paper lies in the printer of which so much is used; 0: staff has put in a new one. Moves no paper."""

    used_mm: int = 0


@dataclass(frozen=True, kw_only=True)
class PaperUsed(News):
    """So much of the roll is used, by our own count; about `slips_left` more slips like the last one fit on it."""

    used_mm: int
    left_mm: int
    slips_left: int


@dataclass(frozen=True, kw_only=True)
class PaperOut(Trouble):
    """No paper under the head."""


@dataclass(frozen=True, kw_only=True)
class PaperNearEnd(Trouble):
    """The roll is nearly used up."""

    grave: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class CoverOpen(Trouble):
    """The cover is open."""


@dataclass(frozen=True, kw_only=True)
class CutterError(Trouble):
    """The cutter is stuck."""


@dataclass(frozen=True, kw_only=True)
class PrinterError(Trouble):
    """The printer reports an error other than paper, cover or cutter."""

    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class PrinterOffline(Trouble):
    """The printer says it is offline without saying why."""


# ---- A4 printer --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PrintDocument(Order):
    """Print a PDF on sheets. A driver opens no files, so the order carries the document (`devices.documents`)."""

    title: str = field(metadata={"personal": True})  # what the print service's list shows; may name a person
    pdf: bytes = field(repr=False, metadata={"bulk": True, "personal": True})
    copies: int = 1


@dataclass(frozen=True, kw_only=True)
class DocumentState(News):
    """How a document stands: pending, held, processing, stopped, completed, canceled or aborted."""

    state: str
    reason: str = ""
    pages: int = 0  # that have come out so far, as far as the print service counts them


@dataclass(frozen=True, kw_only=True)
class TonerLow(Trouble):
    """Toner or ink is nearly used up."""

    grave: ClassVar[bool] = False


# ---- ID reader ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ReadCard(Order):
    """Read the card on the reader now (the answer is `CardPresented`, then `Obeyed`)."""


@dataclass(frozen=True, kw_only=True)
class ReadNewestAddress(Order):
    """Read the newest address stored on the card that was just read (answer: `NewestAddress`)."""


@dataclass(frozen=True, kw_only=True)
class ResetReader(Order):
    """Restart the reader's security module."""


PERSONAL = {"personal": True}


@dataclass(frozen=True, kw_only=True)
class CardPresented(News):
    """A card was read. Dates are YYYYMMDD, `end` may be 长期; photo and fingerprints are never kept.

    kind: citizen, hmt (Hong Kong, Macao, Taiwan residence), foreigner2017, foreigner2023.
    """

    kind: str
    name: str = field(metadata=PERSONAL)
    id_number: str = field(metadata=PERSONAL)
    sex: str = field(default="", metadata=PERSONAL)  # 男, 女, 未知, 未说明
    nation: str = field(default="", metadata=PERSONAL)  # name from GB/T 3304, e.g. 汉; empty where the layout has none
    birth: str = field(default="", metadata=PERSONAL)
    address_text: str = field(default="", metadata=PERSONAL)
    authority: str = field(default="", metadata=PERSONAL)
    start: str = ""
    end: str = ""
    english_name: str = field(default="", metadata=PERSONAL)
    nationality: str = field(default="", metadata=PERSONAL)  # ISO 3166 letters as on the card
    pass_number: str = field(default="", metadata=PERSONAL)
    issue_count: str = ""
    old_number: str = field(default="", metadata=PERSONAL)
    id_valid: bool = True  # the number's check digit is right


@dataclass(frozen=True, kw_only=True)
class CardUnreadable(News):
    """A card lies there but cannot be read; `reason` is a sentence for the citizen's helper."""

    reason: str
    status: str = ""  # the reader's status word in hex


@dataclass(frozen=True, kw_only=True)
class CardRemoved(News):
    """The card has been lifted."""


@dataclass(frozen=True, kw_only=True)
class NewestAddress(News):
    """The newest address from the card's chip."""

    address_text: str = field(metadata=PERSONAL)


@dataclass(frozen=True, kw_only=True)
class ReaderFault(Trouble):
    """The reader's own security module reports that it cannot work."""

    status: str = ""
    reason: str = ""


# ---- travel document reader ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DocumentRead(News):
    """The machine-readable lines of a travel document, every check digit right (`devices.travel`).

    kind: TD1, TD2, TD3, MRVA, MRVB or permit. Dates are YYMMDD as printed: whoever knows today makes them whole.
    """

    kind: str
    code: str  # P, V, I and so on, with the issuer's second letter if any
    document_number: str = field(metadata=PERSONAL)
    issuer: str = ""
    surname: str = field(default="", metadata=PERSONAL)
    given_names: str = field(default="", metadata=PERSONAL)
    nationality: str = field(default="", metadata=PERSONAL)
    birth: str = field(default="", metadata=PERSONAL)
    sex: str = field(default="", metadata=PERSONAL)  # M, F, X, or empty
    expiry: str = ""
    optional: str = field(default="", metadata=PERSONAL)
    optional2: str = field(default="", metadata=PERSONAL)


@dataclass(frozen=True, kw_only=True)
class DocumentUnreadable(News):
    """Lines came but are no document: one is missing, or a check digit is wrong; `reason` is a sentence."""

    reason: str


# ---- code scanner ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TriggerScan(Order):
    """Light the scanner and look for one code."""


@dataclass(frozen=True, kw_only=True)
class StopScan(Order):
    """Stop looking."""


@dataclass(frozen=True, kw_only=True)
class CodeScanned(News):
    """A code was read. `hex` holds the bytes as they came; `text` their best reading (UTF-8, else GB18030)."""

    text: str = field(metadata=PERSONAL)
    hex: str = field(default="", metadata=PERSONAL)
    encoding: str = "utf-8"


# ---- call pad ----------------------------------------------------------------------------------------------


class Key(StrEnum):
    """Keys of a clerk's call pad, by what they mean to the clerk."""

    CALL_NEXT = "call_next"
    RECALL = "recall"
    EVALUATE = "evaluate"
    GIVE_UP = "give_up"  # pass the citizen who did not come
    HOLD = "hold"
    CALL_BACK = "call_back"  # resume a held citizen
    PAUSE = "pause"  # pause or resume the window
    TRANSFER = "transfer"
    CANCEL = "cancel"
    ONE_METRE = "one_metre"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class KeyPressed(News):
    """A key of the pad at `address` was pressed; `code` is the raw key byte in hex."""

    key: Key
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class ShowNumber(Order):
    """Show a ticket number and the count of people waiting on the pad; None leaves a field as it is."""

    number: str | None = None
    waiting: int | None = None


@dataclass(frozen=True, kw_only=True)
class Beep(Order):
    """Sound the pad's or strip's buzzer."""

    times: int = 1


# ---- evaluator ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AskRating(Order):
    """Light the evaluator up and wait for a press."""


@dataclass(frozen=True, kw_only=True)
class ShowStars(Order):
    """Show the clerk's service stars."""

    stars: int


@dataclass(frozen=True, kw_only=True)
class Rated(News):
    """A citizen pressed a rating key. grade: 5 very satisfied … 1 very dissatisfied; None: gave none in time."""

    grade: int | None
    code: str = ""


# ---- foot pedal --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PedalPressed(News):
    """A foot stepped on a pedal of the device, counted from 1; `code` is the key that it presses."""

    pedal: int = 1
    code: str = ""


# ---- window screen and hall board made of LEDs -------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ShowCall(Order):
    """Show that `number` is called to `window`."""

    number: str
    window: int


@dataclass(frozen=True, kw_only=True)
class ShowWelcome(Order):
    """The window is open and waits for the next citizen."""


@dataclass(frozen=True, kw_only=True)
class ShowServing(Order):
    """The window is serving `number`."""

    number: str
    window: int


@dataclass(frozen=True, kw_only=True)
class ShowPaused(Order):
    """The window has paused."""


@dataclass(frozen=True, kw_only=True)
class ShowText(Order):
    """Show any text at once."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """One row of a hall board: this number is called to that window."""

    number: str
    window: int


@dataclass(frozen=True, kw_only=True)
class ShowCalls(Order):
    """Show the latest calls on a hall board, newest first; rows that stay over are emptied."""

    calls: tuple[Call, ...] = ()


# A technician's orders for screens that have such a thing; no role asks for them.


@dataclass(frozen=True, kw_only=True)
class SetClock(Order):
    """Set the screen's own clock. `time` is local, as in 2026-03-05T09:08:07."""

    time: str


@dataclass(frozen=True, kw_only=True)
class SetBrightness(Order):
    """Set the screen's brightness, from 0 (darkest) to 15."""

    level: int


@dataclass(frozen=True, kw_only=True)
class SwitchScreen(Order):
    """Switch the screen's lamps on or off."""

    on: bool


@dataclass(frozen=True, kw_only=True)
class ClearScreen(Order):
    """Remove every text and programme from the screen."""


# ---- document camera, portrait camera ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TakeStill(Order):
    """Keep the newest fresh frame as a still (answer: `StillTaken`, then `Obeyed`)."""


@dataclass(frozen=True, kw_only=True)
class FrameSeen(News):
    """A fresh frame of the live view: a whole JPEG. Pixels are (width, height)."""

    jpeg: bytes = field(repr=False, metadata={"bulk": True})
    width: int = 0
    height: int = 0


@dataclass(frozen=True, kw_only=True)
class StillTaken(News):
    """A still: a whole JPEG, untouched."""

    jpeg: bytes = field(repr=False, metadata={"bulk": True})
    width: int = 0
    height: int = 0


@dataclass(frozen=True, kw_only=True)
class PictureFrozen(Trouble):
    """The camera keeps sending one and the same picture, or none at all."""


@dataclass(frozen=True, kw_only=True)
class BusFull(Trouble):
    """The USB controller has no room left for this camera's pictures: another camera takes it."""


@dataclass(frozen=True, kw_only=True)
class PictureDark(Trouble):
    """The picture is black (lamp off, lens covered)."""

    grave: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class PictureBright(Trouble):
    """The picture is over-exposed: nothing is to be seen but white."""

    grave: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class WrongFormat(Trouble):
    """The camera granted another format than the one asked for."""

    asked: str = ""
    granted: str = ""
    grave: ClassVar[bool] = False


# ---- the roles themselves ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Role:
    """What a device is for: a name, the orders it must obey and the news it may bring."""

    name: str
    orders: tuple[type[Order], ...]
    news: tuple[type[News], ...]


TICKET_PRINTER = Role(
    "ticket-printer",
    (PrintSlip, PrintTest),
    (PaperOut, PaperNearEnd, CoverOpen, CutterError, PrinterError, PrinterOffline, PaperUsed),
)
A4_PRINTER = Role(
    "a4-printer",
    (PrintDocument,),
    (DocumentState, PaperOut, PaperNearEnd, CoverOpen, TonerLow, PrinterError, PrinterOffline),
)
ID_READER = Role(
    "id-reader",
    (ReadCard, ReadNewestAddress, ResetReader),
    (CardPresented, CardUnreadable, CardRemoved, NewestAddress, ReaderFault),
)
TRAVEL_DOCUMENT = Role("travel-document", (), (DocumentRead, DocumentUnreadable))
CODE_SCANNER = Role("code-scanner", (TriggerScan, StopScan), (CodeScanned,))
CALL_PAD = Role("call-pad", (ShowNumber, Beep), (KeyPressed,))
EVALUATOR = Role("evaluator", (AskRating, ShowStars), (Rated,))
FOOT_PEDAL = Role("foot-pedal", (), (PedalPressed,))
WINDOW_SCREEN = Role("window-screen", (ShowCall, ShowWelcome, ShowServing, ShowPaused, ShowText), ())
HALL_BOARD = Role("hall-board", (ShowCalls,), ())
CAMERA = Role(
    "camera",
    (TakeStill,),
    (FrameSeen, StillTaken, PictureFrozen, PictureDark, PictureBright, WrongFormat, BusFull),
)

ROLES: dict[str, Role] = {
    r.name: r
    for r in (
        TICKET_PRINTER,
        A4_PRINTER,
        ID_READER,
        TRAVEL_DOCUMENT,
        CODE_SCANNER,
        CALL_PAD,
        EVALUATOR,
        FOOT_PEDAL,
        WINDOW_SCREEN,
        HALL_BOARD,
        CAMERA,
    )
}
