"""About this hall: where, when, whom to ring, and how long the queues are just now."""

from kiosk.ui.base import Air, Card, Stack, Text, hide
from kiosk.ui.page import Base, Heading, point
from kiosk.ui.pager import Pager


class Page(Base):
    """Hall information."""

    def build(self):
        self.heading = Heading("About this hall")
        self.address = point("location-dot", "", "body")
        self.hours = point("clock", "", "body")
        self.phone = point("phone", "", "body")
        self.notice = point("circle-info", "", "body")
        self.card = Card(self.address, self.hours, self.phone, self.notice, gap=3, pad=(8, 6, 8, 6), fit=True)
        self.card.pos_hint = {"top": 1}
        self.words_part = Text("Waiting now", role="large", strong=True)
        self.pager = Pager(self.fill_in, least=((110, 120), (36, 46)), most=(44, 54), across=True)
        return [
            self.heading,
            Stack(self.card, Stack(self.words_part, self.pager, gap=3), turns=True, gap=8),
            Air(high=1),
        ]

    def draw(self, view):
        for line, value in (
            (self.address, view.hall.get("address")),
            (self.hours, view.hall.get("opening_hours")),
            (self.phone, view.hall.get("complaint_phone")),
            (self.notice, view.hall.get("notice")),
        ):
            line.text_part.say(str(value or ""))
            hide(line, not value)
        self.pager.offer(view.queues.values(), keep_page=True)

    def fill_in(self, tile, queue):
        """A queue and its figures; nothing happens when it is touched."""
        waiting = self.word("{n} waiting", n=queue.get("waiting", 0))
        minutes = self.minutes(queue.get("wait_minutes"))
        open_ = queue.get("open", True)
        tile.fill_in(
            f"{queue['code']}  {self.name(queue)}",
            "",
            None,
            f"{waiting} · {minutes}" if open_ else self.word("No more numbers today"),
            name=f"queue.{queue['code']}",
            act=lambda: None,
        )
