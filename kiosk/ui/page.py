"""What every page is: a heading, a body, and the one question it asks."""

from kiosk.ui.base import Air, Card, Icon, Stack, Text, column, hide
from kiosk.ui.pager import Pager


class Heading(Stack):
    """The question of the page in the first language, and below in the second; a remark may follow."""

    def __init__(self, words="", remark="", align="left", **kwargs):
        self.title = Text(words, role="title", strong=True, align=align, balance=align == "center")
        self.below = Text(words, role="title", second=True, colour="soft", align=align, balance=align == "center")
        self.remark = Text(remark, role="body", colour="soft", align=align)
        super().__init__(self.title, self.below, self.remark, gap=1.5, fit=True, **kwargs)
        self.explain(bool(remark))

    def ask(self, words):
        """Another question."""
        self.title.ask(words)
        self.below.ask(words)

    def say(self, first, second):
        """A heading that needs no translation."""
        self.title.say(first)
        self.below.say(second)

    def explain(self, wanted=True):
        """Show the remark, or leave it out."""
        hide(self.remark, not wanted)

    def apply(self, theme):
        hide(self.below, theme.elder)  # one thing at a time
        super().apply(theme)


class Base(Stack):
    """A page. `build()` makes its parts once; `draw(view)` fills them whenever something changed.

    `press(event, value)` tells the terminal what the person did. `closes` lists widgets that must not be touched.
    """

    bars = (True, True)  # top and bottom bar are shown
    lowered = (0.3, 0.08)  # share of an upright and of a wide screen that stays empty above, in the low-reach layout

    def __init__(self, press, theme):
        self.press, self.theme = press, theme
        super().__init__(*self.build(), gap=6, pad=(10, 8, 10, 8))

    def build(self):
        raise NotImplementedError

    def arrive(self):
        """The page is about to be shown: begin with the first of many choices."""
        for part in self.walk(restrict=True):
            if isinstance(part, Pager):
                part.rewind()

    def draw(self, view):
        """Fill the parts with what the view says."""

    def says(self, event, value=None):
        """A function that presses `event`."""
        return lambda: self.press(event, value)

    def word(self, words, **values):
        """A translated sentence with values put in."""
        text = self.theme.words(words)
        return text.format(**values) if values else text

    def names(self, record):
        """(name in the first language, name in the second or nothing) of a category, service, queue or class."""
        chinese, english = str(record.get("name", "")), str(record.get("english", ""))
        first, second = (chinese, english) if self.theme.language == "zh_CN" else (english or chinese, chinese)
        return first, "" if self.theme.elder or second == first else second

    def name(self, record):
        """The name in the language in force."""
        return self.names(record)[0]

    def minutes(self, value):
        """About how long, in words; the hall does not always know."""
        return self.word("about {n} min", n=int(value)) if value is not None else ""


class Fact(Card):
    """A figure with a word above and a unit behind: people ahead 6, about 24 min, zone B."""

    def __init__(self, words, icon, **kwargs):
        self.icon_part = Icon(icon, size=9, colour="river")
        self.figure = Text(role="title", strong=True, align="center", single=True)
        self.word_part = Text(words, role="body", colour="soft", align="center")
        super().__init__(self.icon_part, self.word_part, self.figure, gap=2, pad=(3, 5, 3, 5), fit=True, **kwargs)

    def apply(self, theme):
        hide(self.icon_part, not theme.portrait)  # a wide screen is low
        super().apply(theme)

    def show(self, figure):
        self.figure.say(figure)
        hide(self, not figure)


class Facts:
    """People ahead, minutes, zone: as three cards on an upright screen, as three lines on a wide one."""

    def __init__(self, page):
        self.page = page
        self.fits = page.theme.portrait
        if self.fits:
            kinds = (Fact("People ahead", "users"), Fact("About", "clock"), Fact("Wait in", "location-dot"))
            self.parts = kinds
            self.stack = Stack(*kinds, across=True, gap=4, fit=True)
        else:
            self.parts = tuple(Text(role="large", strong=number == 0) for number in range(3))
            self.stack = column(*self.parts, gap=1, fit=True)
        self.stack.pos_hint = {"center_y": 0.5}

    def show(self, ticket):
        """Fill them from a ticket; nothing is shown of what it does not say."""
        word, minutes, zone = self.page.word, ticket.get("wait_minutes"), str(ticket.get("zone", ""))
        ahead = ticket.get("ahead")
        if self.fits:
            said = (
                word("{n} people", n=ahead) if ahead is not None else "",
                word("{n} min", n=int(minutes)) if minutes is not None else "",
                zone,
            )
        else:
            said = (
                word("{n} waiting", n=ahead) if ahead is not None else "",
                self.page.minutes(minutes),
                word("Wait in zone {zone}", zone=zone) if zone else "",
            )
        for part, text in zip(self.parts, said, strict=True):
            part.show(text) if self.fits else part.say(text)
        hide(self.stack, not any(said))


class Banner(Card):
    """A state in words with its icon: printing, printed, no paper."""

    def __init__(self, **kwargs):
        self.icon_part = Icon("print", size=11, colour="river", wide=16)
        self.words_part = Text(role="large", strong=True, colour="ink", balance=True)
        self.icon_part.pos_hint = self.words_part.pos_hint = {"center_y": 0.5}
        super().__init__(
            self.icon_part, self.words_part, across=True, gap=4, pad=(6, 5, 6, 5), fit=True, fill="white", **kwargs
        )

    def show(self, words, icon, colour="river"):
        self.words_part.ask(words)
        self.words_part.tint(colour if colour != "river" else "ink")
        self.icon_part.pick(icon)
        self.icon_part.tint(colour)
        self.recolour(border=colour)


def halves(first, second, **kwargs):
    """What is said, and what one may do: below one another on an upright screen, side by side on a wide one."""
    return Stack(_half(first), _half(second), turns=True, gap=8, **kwargs)


def _half(parts):
    return column(Air(), *parts, Air(), gap=5)


def point(icon, words, role="large"):
    """A line with an icon before it."""
    mark = Icon(icon, size=9, colour="river", wide=14)
    text = Text(words, role=role)
    mark.pos_hint = text.pos_hint = {"center_y": 0.5}
    line = Stack(mark, text, across=True, gap=4, fit=True)
    line.text_part = text
    return line


__all__ = ["Banner", "Base", "Fact", "Facts", "Heading", "column", "halves", "point"]
