"""What became of the copy. Nobody is told that it came out when that is not known."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Icon, Text, hide
from kiosk.ui.page import Base, Heading, halves
from kiosk.ui.press import Push

SAYS = {  # what became of it → (heading, remark, icon, colour)
    "done": ("Please take your copy and your papers", "Your papers are forgotten here when you finish.",
             "circle-check", "jade"),
    "unknown": ("Has your copy come out?", "The printer does not answer. Please look.", "circle-question", "amber"),
    "paper": ("Not printed: the printer has no paper", "Please call a member of staff.", "file-circle-xmark", "seal"),
    "failed": ("Not printed: the printer is not working", "Please try again, or call a member of staff.",
               "circle-xmark", "seal"),
}  # fmt: skip


class Page(Base):
    """Copied."""

    def build(self):
        self.icon_part = Icon("circle-check", size=44, colour="jade")
        self.heading = Heading("Please take your copy and your papers", align="center")
        self.remark = Text(role="large", colour="soft", align="center", balance=True)
        high = (30, 34)
        self.yes = Push("Yes, it is here", "check", "copied.yes", self.says(Event.PRINTED), "act", high=high)
        self.again = Push("Print another copy", "print", "copied.again", self.says(Event.PRINT), high=high)
        self.help = Push("Call a member of staff", "hand", "copied.help", self.says(Event.HELP), high=high)
        self.finish = Push("Finish and forget", "right-from-bracket", "copied.finish", self.says(Event.FINISH), "act",
                           high=high)  # fmt: skip
        return [halves([self.icon_part, Air(high=4), self.heading, self.remark],
                       [self.yes, self.again, self.help, self.finish])]  # fmt: skip

    def draw(self, view):
        state = view.session.copying if view.session.copying in SAYS else "done"
        words, remark, icon, colour = SAYS[state]
        self.heading.ask(words)
        self.remark.ask(remark)
        self.icon_part.pick(icon)
        self.icon_part.tint(colour)
        self.again.ask("Try again" if state in ("paper", "failed") else "Print another copy")
        hide(self.yes, state != "unknown")
        hide(self.help, state in ("done", "unknown"))
