"""Who is served first declares it here, of their own free will; a person looks later, nothing is told in public."""

from kiosk.journey import Event
from kiosk.ui.page import Base, Heading
from kiosk.ui.pager import Pager
from kiosk.ui.press import Push

ICONS = {
    "soldier": "person-military-rifle",
    "firefighter": "fire-extinguisher",
    "medical": "user-doctor",
    "elder": "person-cane",
    "disabled": "wheelchair",
    "pregnant": "person-pregnant",
    "sick": "bed-pulse",
}


class Page(Base):
    """Priority."""

    def build(self):
        self.heading = Heading(
            "Which of these applies to you?",
            "You say so yourself; a member of staff looks in person. The reason is never shown.",
        )
        self.pager = Pager(
            self.fill_in, least=((100, 100), (40, 40)), most=(54, 58), across=True, columns=((2, 2), (4, 4))
        )
        self.ordinary = Push("None of these", "ticket-simple", "priority.none", self.says(Event.TAKE), high=(26, 30))
        return [self.heading, self.pager, self.ordinary]

    def apply(self, theme):
        self.heading.explain(theme.portrait or not theme.elder)
        super().apply(theme)

    def draw(self, view):
        self.pager.offer(view.hall.get("priorities", ()), keep_page=True)

    def fill_in(self, tile, choice):
        """A class of citizens."""
        first, second = self.names(choice)
        tile.fill_in(
            first,
            second,
            ICONS.get(str(choice["code"]), "heart"),
            name=f"class.{choice['code']}",
            act=self.says(Event.CLASS, choice),
        )
