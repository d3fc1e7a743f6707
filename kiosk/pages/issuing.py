"""The moment between the touch and the number."""

from kiosk.ui.base import Air, Icon
from kiosk.ui.page import Base, Heading


class Page(Base):
    """Issuing."""

    def build(self):
        self.heading = Heading("One moment, your number is coming", align="center")
        return [Air(), Icon("hourglass-half", size=36, colour="river"), Air(high=8), self.heading, Air()]
