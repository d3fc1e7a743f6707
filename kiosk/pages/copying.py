"""The moment between the touch and the copy."""

from kiosk.ui.base import Air, Icon
from kiosk.ui.page import Base, Heading


class Page(Base):
    """Copying."""

    def build(self):
        self.heading = Heading("Your copy is being printed", align="center")
        return [Air(), Icon("print", size=36, colour="river"), Air(high=8), self.heading, Air()]
