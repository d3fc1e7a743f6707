"""Where everybody starts: what would you like to do? Normal: all kinds of services at once; elder mode: one question."""

from kiosk.journey import Event
from kiosk.ui.base import Stack, hide
from kiosk.ui.page import Base, Heading
from kiosk.ui.pager import Pager
from kiosk.ui.press import Push

SEARCH, UNSURE = {"special": "search"}, {"special": "unsure"}


class Page(Base):
    """Home."""

    def build(self):
        self.heading = Heading("What would you like to do?", "Touch the service you need, then take a number.")
        self.pager = Pager(self.fill_in, least=((58, 75), (40, 50)), most=(72, 90), columns=(5, 3))
        self.elder = Pager(self.fill_elder, least=((100, 100), (30, 34)), most=(70, 70), across=True, columns=(2, 2))
        self.mine = Push("My ticket", "ticket", "home.mine", self.says(Event.MINE), high=(26, 30))
        self.info = Push("About this hall", "circle-info", "home.info", self.says(Event.INFO), high=(26, 30))
        self.more = Stack(self.mine, self.info, across=True, gap=4, fit=True)
        return [self.heading, self.pager, self.elder, self.more]

    def apply(self, theme):
        hide(self.pager, theme.elder)
        hide(self.more, theme.elder)
        hide(self.elder, not theme.elder)
        self.heading.has_remark = not theme.elder
        super().apply(theme)

    def draw(self, view):
        if self.theme.elder:
            choices = [("Take a number", "ticket-simple", "home.categories", Event.CATEGORIES),
                       ("I do not know which: ask a person", "person-circle-question", "home.unsure", Event.UNSURE),
                       ("My ticket", "magnifying-glass", "home.mine", Event.MINE),
                       ("About this hall", "circle-info", "home.info", Event.INFO)]
            self.elder.offer(choices, keep_page=True)
        else:
            self.pager.offer([*view.categories, SEARCH, UNSURE], keep_page=True)

    def fill_in(self, tile, choice):
        """A category, or one of the two ways out of not finding it."""
        if choice is SEARCH:
            tile.fill_in(self.word("Search"), self._second("Search"), "magnifying-glass", name="home.search",
                         act=self.says(Event.SEARCH))
        elif choice is UNSURE:
            tile.fill_in(self.word("Not sure?"), self._second("Not sure?"), "person-circle-question",
                         name="home.unsure", act=self.says(Event.UNSURE))
        else:
            first, second = self.names(choice)
            tile.fill_in(first, second, choice.get("icon"), name=f"category.{choice['code']}",
                         act=self.says(Event.CATEGORY, choice))

    def fill_elder(self, tile, choice):
        """One of the four answers."""
        words, icon, name, event = choice
        tile.fill_in(self.word(words), "", icon, name=name, act=self.says(event))

    def _second(self, words):
        return self.theme.second(words)
