"""Elder mode: which kind of service?"""

from kiosk.journey import Event
from kiosk.ui.page import Base, Heading
from kiosk.ui.pager import Pager

UNSURE = {"special": "unsure"}  # a choice that is no category


class Page(Base):
    """Categories, large."""

    def build(self):
        self.heading = Heading("What is it about?")
        self.pager = Pager(
            self.fill_in, least=((100, 100), (40, 40)), most=(60, 60), across=True, columns=((2, 2), (3, 3))
        )
        return [self.heading, self.pager]

    def draw(self, view):
        self.pager.offer([*view.categories, UNSURE], keep_page=True)

    def fill_in(self, tile, choice):
        """A category, or help with choosing."""
        if choice is UNSURE:
            tile.fill_in(
                self.word("Not sure?"), "", "person-circle-question", name="home.unsure", act=self.says(Event.UNSURE)
            )
        else:
            first, second = self.names(choice)
            tile.fill_in(
                first,
                second,
                choice.get("icon"),
                name=f"category.{choice['code']}",
                act=self.says(Event.CATEGORY, choice),
            )
