"""Laying pages under the document camera: the live view, what to do in words, and the pages taken so far."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Stack, Text, column, hide
from kiosk.ui.page import Banner, Base, Heading
from kiosk.ui.picture import Picture
from kiosk.ui.press import Push
from kiosk.ui.strip import Strip
from kiosk.view import CAMERA, WORKS

PHASES = {  # what the camera sees → (words, icon, colour)
    "starting": ("The camera is being switched on …", "hourglass-half", "river"),
    "empty": ("Lay a page under the camera and let go", "file-arrow-down", "river"),
    "unclear": ("No edges are seen: move it, or press Shoot", "circle-exclamation", "amber"),
    "moving": ("Keep it still …", "hand", "amber"),
    "still": ("Keep it still …", "hand", "amber"),
    "taken": ("Taken. Lay down the next page, or copy", "circle-check", "jade"),
    "full": ("No more pages fit. Please copy these first", "circle-exclamation", "amber"),
}
CUT_OFF = ("Part of the page is outside the picture: move it to the middle", "circle-exclamation", "amber")
TROUBLES = {
    "gone": ("The camera is not connected. Please call a member of staff", "plug-circle-xmark", "seal"),
    "frozen": ("The camera's picture stands still. Please call a member of staff", "circle-exclamation", "seal"),
    "dark": ("It is too dark. Please uncover the camera and switch on its lamp", "lightbulb", "amber"),
    "bright": ("It is too bright. Please turn the page away from the light", "sun", "amber"),
    "small": ("The camera's picture is smaller than it should be: look whether it is sharp", "image", "amber"),
}
FLAGS = {  # what may be wrong with a page → what it is and what to do, the gravest first
    "whole_picture": "Page {n} has no edges that can be seen: retake it, or touch it to crop it",
    "out_of_frame": "Part of page {n} is outside the picture: move it to the middle",
    "finger": "A finger covers part of page {n}: take your hand away",
    "corner_covered": "A corner of page {n} is covered: free it",
    "blurred": "Page {n} is not sharp: hold it still",
    "glare": "Page {n} reflects the light: turn it a little",
    "white_on_white": "Page {n} is as light as the desk: lay something dark under it",
}


def wrong(sheet):
    """What is wrong with a page, as a message id; nothing when it is good."""
    return next((words for flag, words in FLAGS.items() if flag in sheet.flags), "")


class Page(Base):
    """Scan."""

    lowered = (0.22, 0.0)

    def build(self):
        upright = self.theme.portrait
        self.heading = Heading("Lay your papers under the camera")
        self.hint = Text("Flat and still: each page is taken by itself. Then the next one, or the other side.")
        self.live = Picture(ground="night")
        self.state = Banner()
        self.pages = Strip(4 if upright else 3, self._open, high=(50, 46) if upright else (46, 40))
        self.none = Text("No page has been taken yet", role="body", colour="soft", align="center")
        self.count = Text(role="body", strong=True)
        high = (28, 32) if upright else (24, 30)
        self.again = Push("Retake", "camera-rotate", "scan.retake", lambda: None, high=high)
        self.keep = Push("Keep it", "check", "scan.keep", lambda: None, high=high)
        self.shoot = Push("Shoot", "camera", "scan.shoot", self.says(Event.SHOOT), high=high)
        self.undo = Push("Undo", "rotate-left", "scan.undo", self.says(Event.UNDO), high=high)
        self.finish = Push("Finish", "right-from-bracket", "scan.finish", self.says(Event.FINISH), high=high)
        self.copy = Push("Copy", "print", "scan.copy", self.says(Event.COPY), "act", high=high)
        # What is asked about a page takes the place of what is seldom needed, never that of the way on.
        self.asking = Stack(self.again, self.keep, self.shoot, self.undo, across=True, gap=4, fit=True)
        self.leaving = Stack(self.finish, self.copy, across=True, gap=4, fit=True)
        self.papers = column(self.pages, gap=2, fit=True)
        self._seen, self._flashed, self._last = 0, 0, None
        if upright:
            return [self.heading, self.hint, self.live, self.state, self.papers, self.asking, self.leaving]
        left = column(self.live, self.state, gap=4)
        right = column(self.heading, Air(), self.papers, self.asking, self.leaving, gap=4, wide=190)
        return [Stack(left, right, across=True, gap=8)]

    def apply(self, theme):
        hide(self.hint, theme.elder or theme.low_reach)
        hide(self.heading.below, theme.elder or theme.low_reach or not theme.portrait)
        super().apply(theme)

    def arrive(self):
        self._seen = 0
        super().arrive()

    def draw(self, view):
        self._view = view
        sheets = view.session.sheets
        bad = [(n, sheet) for n, sheet in enumerate(sheets, 1) if wrong(sheet) and sheet.id not in view.session.kept]
        self.pages.offer(sheets, {sheet.id for _, sheet in bad})
        hide(self.papers, not sheets)
        self.copy.enable(bool(sheets))
        glance = view.live()
        retaking = glance.retaking if glance else None
        bad = [(n, sheet) for n, sheet in bad if sheet.id != retaking]
        self._bad = bad[-1] if bad else None
        for part in (self.again, self.keep):
            hide(part, self._bad is None)
        for part in (self.shoot, self.undo):
            hide(part, self._bad is not None)
        self.undo.enable(view.session.changed)
        if self._bad is not None:
            id = self._bad[1].id
            self.again.act, self.keep.act = self.says(Event.RETAKE, id), self.says(Event.KEEP, id)
        self._last = None
        self.tick()

    def tick(self):
        """The live view moves on; called with every frame while this page is shown."""
        view = self._view
        glance = view.live()
        if glance is not None and glance.number != self._seen:
            self._seen = glance.number
            self.live.show(glance.pixels)
            self.live.outline(glance.outlines)
            if glance.taken > self._flashed > 0 or (glance.taken == 1 and self._flashed == 0):
                self.live.flash(0 if self.theme.still else 0.25)
            self._flashed = glance.taken
        said = self._say(view, glance)
        if said != self._last:
            self._last = said
            (words, number), icon, colour = said
            self.state.show(words, icon, colour)
            self.state.words_part.say(self.word(words, n=number) if number else self.word(words))
            self.shoot.enable(
                icon not in ("plug-circle-xmark", "hourglass-half") and (not glance or glance.phase != "full")
            )

    def forget(self):
        """Nothing of anybody's papers stays here."""
        self.live.forget()
        self.pages.forget()
        self._seen = self._flashed = 0

    def _say(self, view, glance):
        """((words, page number), icon, colour) of what there is to be said just now."""
        trouble = glance.trouble if glance else ""
        if view.devices.get(CAMERA, ("ready", ""))[0] not in (*WORKS, "connecting", "error"):
            trouble = "gone"
        if trouble and trouble != "small":
            words, icon, colour = TROUBLES[trouble]
            return (words, 0), icon, colour
        if self._bad is not None:
            return (wrong(self._bad[1]), self._bad[0]), "circle-exclamation", "amber"
        phase = glance.phase if glance else "starting"
        if glance and glance.retaking is not None and phase != "full":
            place = next((n for n, s in enumerate(view.session.sheets, 1) if s.id == glance.retaking), 0)
            if place:
                return ("Lay page {n} down again", place), "rotate-left", "river"
        if trouble == "small" and phase == "empty":
            words, icon, colour = TROUBLES[trouble]
        elif phase in ("moving", "still") and glance.cut_off:
            words, icon, colour = CUT_OFF
        else:
            words, icon, colour = PHASES.get(phase, PHASES["starting"])
        return (words, 0), icon, colour

    def _open(self, id):
        self.press(Event.SHEET, id)
