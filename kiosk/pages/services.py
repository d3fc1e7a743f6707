"""The services of one category, each with how many people wait for it."""

from kiosk.journey import Event
from kiosk.ui.page import Base, Heading
from kiosk.ui.pager import Pager
from kiosk.ui.press import Push


def remark(page, view, service):
    """People ahead and about how long, or that no more numbers are given today."""
    queue = view.queue_of(service)
    if queue is None:
        return ""
    if not queue.get("open", True):
        return page.word("No more numbers today")
    ahead = page.word("{n} waiting", n=queue.get("waiting", 0))
    minutes = page.minutes(queue.get("wait_minutes"))
    return f"{ahead} · {minutes}" if minutes else ahead


class Page(Base):
    """Services."""

    def build(self):
        self.heading = Heading("Which service?")
        self.pager = Pager(
            self.fill_in, least=((150, 150), (48, 48)), most=(58, 62), across=True, columns=((1, 1), (2, 2))
        )
        self.unsure = Push(
            "Not sure? Ask us", "person-circle-question", "services.unsure", self.says(Event.UNSURE), high=(24, 30)
        )
        return [self.heading, self.pager, self.unsure]

    def draw(self, view):
        self.view = view
        category = view.session.category or {"name": "", "services": ()}
        self.heading.say(*self.names(category))
        self.pager.offer(category["services"], keep_page=True)

    def fill_in(self, tile, service):
        """A service with its queue."""
        first, second = self.names(service)
        tile.fill_in(
            first,
            second,
            None,
            remark(self, self.view, service),
            name=f"service.{service['code']}",
            act=self.says(Event.SERVICE, service),
        )
