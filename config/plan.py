"""What a hall is: its queues, windows, services, people and rules, as the installer wrote them.

Dataclasses only. `config.machine` reads them from TOML; the hall's domain takes them as arguments; tests build them
by hand.
Words a citizen reads come in pairs: `name` (Chinese) and `english`.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Category:
    """A group of services on the kiosk's first page (公共教育, 社会保险 …); `icon` is a Font Awesome name."""

    code: str
    name: str
    english: str
    icon: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service item (事项) a citizen can choose; tickets for it wait in `queue`."""

    code: str
    name: str
    english: str
    category: str
    queue: str


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A line of waiting tickets; `code` is also the letter in front of its numbers (A007)."""

    code: str
    name: str
    english: str = ""
    zone: str = ""  # where to wait, printed on the slip: B区
    minutes: float = field(default=4.0, metadata={"unit": "min", "min": 0.1})  # a service's length until it is learnt
    digits: int = field(default=3, metadata={"min": 2, "max": 4})


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window (窗口). `queues` are the codes it may call; empty means every queue (a comprehensive window)."""

    no: int
    name: str
    kind: str = "comprehensive"  # comprehensive, service, issuing, helper, cannot_be_done
    queues: tuple[str, ...] = ()
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class Staff:
    """A person who works here. The password is not here: `bianmin hall password LOGIN` sets it."""

    login: str
    work_no: str
    name: str
    role: str = field(default="clerk", metadata={"choices": ("clerk", "manager", "technician")})
    duties: str = ""
    window: int | None = None  # the window that is opened when this clerk logs in at the desk


@dataclass(frozen=True, kw_only=True)
class Priority:
    """A class of citizens served first (绿色通道). verify: none, staff (a person looks), card_age (ID card, by age)."""

    code: str
    name: str
    english: str
    verify: str = field(default="staff", metadata={"choices": ("none", "staff", "card_age")})


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A district's rules as numbers; each default is the national or the commonest local practice."""

    recall_gap: int = field(
        default=20, metadata={"unit": "s", "min": 0, "help": "least time between two calls of one ticket"}
    )
    recall_max: int = field(default=2, metadata={"min": 0})
    rejoin_after: int = field(default=3, metadata={"min": 0, "help": "tickets served before a rejoined one"})
    rejoin_max: int = field(default=2, metadata={"min": 0})
    priority_run: int = field(default=2, metadata={"min": 1, "help": "priority calls in a row before an ordinary one"})
    priority_wait: int = field(default=15, metadata={"unit": "min", "help": "ordinary wait that breaks a priority run"})
    elder_age: int = field(default=60, metadata={"unit": "years"})
    rating_prompt: int = field(default=60, metadata={"unit": "s", "min": 10, "help": "how long the evaluator waits"})
    rectify_days: int = field(default=5, metadata={"unit": "working days", "min": 1})
    day_change: str = "00:00"  # site time at which numbers start again
    extra_holidays: tuple[str, ...] = ()  # ISO dates that are not working days here, beside the national calendar
    extra_workdays: tuple[str, ...] = ()


DEFAULT_PRIORITIES = (
    Priority(code="soldier", name="军人", english="Military"),
    Priority(code="firefighter", name="消防救援人员", english="Firefighter"),
    Priority(code="medical", name="医护人员", english="Medical staff"),
    Priority(code="elder", name="老年人", english="Senior", verify="card_age"),
    Priority(code="disabled", name="残疾人", english="Disabled"),
    Priority(code="pregnant", name="孕产妇", english="Expectant mother"),
    Priority(code="sick", name="体弱病患", english="Unwell"),
)


@dataclass(frozen=True, kw_only=True)
class HallPlan:
    """One hall. `time_zone` is an IANA name; inside everything is UTC, outside everything is this."""

    name: str
    english: str = ""
    code: str = "hall"
    time_zone: str = "Asia/Shanghai"
    complaint_phone: str = "12345"
    address: str = ""
    opening_hours: str = ""
    notice: str = ""  # the line at the foot of the hall board
    categories: tuple[Category, ...] = ()
    services: tuple[Service, ...] = ()
    queues: tuple[Queue, ...] = ()
    windows: tuple[Window, ...] = ()
    staff: tuple[Staff, ...] = ()
    priorities: tuple[Priority, ...] = DEFAULT_PRIORITIES
    policy: Policy = Policy()

    def queue(self, code: str) -> Queue:
        """The queue with this code; KeyError when the plan has none."""
        for q in self.queues:
            if q.code == code:
                return q
        raise KeyError(code)

    def window(self, no: int) -> Window:
        """The window with this number; KeyError when the plan has none."""
        for w in self.windows:
            if w.no == no:
                return w
        raise KeyError(no)

    def skills(self, no: int) -> tuple[str, ...]:
        """Codes of the queues that window `no` may call."""
        return self.window(no).queues or tuple(q.code for q in self.queues)
