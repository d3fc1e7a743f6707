"""A person is on the way, or where to find one."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Icon, Text
from kiosk.ui.page import Base, Heading, halves
from kiosk.ui.press import Push

SAYS = {
    None: ("Calling a member of staff …", "Please wait a moment."),
    True: ("A member of staff is on the way", "Please stay here. You can go on meanwhile."),
    False: ("Please go to the guide desk", "A member of staff there will help you, or ring the number below."),
}


class Page(Base):
    """Help."""

    def build(self):
        self.icon_part = Icon("hand", size=44, colour="river")
        self.heading = Heading("Calling a member of staff …", align="center")
        self.remark = Text(role="large", colour="soft", align="center", balance=True)
        self.phone = Text(role="title", strong=True, colour="river", align="center")
        self.go_on = Push("Go on", "arrow-left", "help.back", self.says(Event.BACK), "act", high=(34, 38))
        self.finish = Push("Finish", "right-from-bracket", "help.finish", self.says(Event.FINISH), high=(28, 32))
        return [halves([self.icon_part, Air(high=6), self.heading, self.remark, self.phone], [self.go_on, self.finish])]

    def draw(self, view):
        words, remark = SAYS[view.help_called]
        self.heading.ask(words)
        self.remark.ask(remark)
        self.phone.say(str(view.hall.get("complaint_phone", "12345")) if view.help_called is False else "")
