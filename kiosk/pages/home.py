"""Where everybody starts: what would you like to do? All kinds of services at once; in elder mode one question."""

from kiosk.journey import Event
from kiosk.ui.base import Stack, hide
from kiosk.ui.page import Base, Heading
from kiosk.ui.pager import Pager
from kiosk.ui.press import Push

SEARCH = {"special": "search"}  # a choice that is no category
ELDER = (
    ("Take a number", "ticket-simple", "home.categories", Event.CATEGORIES),
    ("Not sure? Ask us", "person-circle-question", "home.unsure", Event.UNSURE),
    ("My ticket", "magnifying-glass", "home.mine", Event.MINE),
    ("Scan and copy", "copy", "home.scan", Event.SCAN),
    ("About this hall", "circle-info", "home.info", Event.INFO),
)


class Page(Base):
    """Home."""

    def build(self):
        upright = self.theme.portrait
        self.heading = Heading(
            "What would you like to do?", "Touch the service you need, then take a number." if upright else ""
        )
        if upright:
            self.pager = Pager(self.fill_in, least=((58, 75), (58, 58)), most=(72, 90), columns=((3, 3), (3, 3)))
        else:
            self.pager = Pager(
                self.fill_in, least=((80, 100), (44, 44)), most=(60, 60), across=True, columns=((4, 4), (4, 4))
            )
        self.elder = Pager(
            self.fill_elder, least=((100, 100), (40, 40)), most=(66, 66), across=True, columns=((1, 1), (2, 2))
        )
        unsure, mine, self.scan, info = (self._button(*choice) for choice in ELDER[1:])
        if upright:
            pair = Stack(mine, info, across=True, gap=4, fit=True)
            self.normal = Stack(self.pager, Stack(unsure, self.scan, pair, gap=4, fit=True), gap=6)
        else:
            self.normal = Stack(self.pager, Stack(unsure, mine, self.scan, info, gap=4, wide=84), across=True, gap=6)
        return [self.heading, self.normal, self.elder]

    def _button(self, words, icon, name, event):
        high = (26, 30) if self.theme.portrait else None
        role = "large" if self.theme.portrait else "body"
        return Push(words, icon, name, self.says(event), role=role, high=high)

    def apply(self, theme):
        hide(self.normal, theme.elder)
        hide(self.elder, not theme.elder)
        self.heading.explain(theme.portrait and not theme.elder)
        super().apply(theme)

    def draw(self, view):
        hide(self.scan, not view.can_copy)
        if self.theme.elder:
            choices = [choice for choice in ELDER if choice[3] is not Event.SCAN or view.can_copy]
            self.elder.offer(choices, keep_page=True)
        else:
            self.pager.offer([*view.categories, SEARCH], keep_page=True)

    def fill_in(self, tile, choice):
        """A category, or the way to search."""
        if choice is SEARCH:
            tile.fill_in(
                self.word("Search"),
                self.theme.second("Search"),
                "magnifying-glass",
                name="home.search",
                act=self.says(Event.SEARCH),
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

    def fill_elder(self, tile, choice):
        """One of the answers."""
        words, icon, name, event = choice
        tile.fill_in(self.word(words), "", icon, name=name, act=self.says(event))
