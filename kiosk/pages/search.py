"""Finding a service by the initials of its pinyin or by its characters, with big keys."""

from kiosk.journey import Event
from kiosk.pages.services import remark
from kiosk.ui.base import Card, Stack, Text, column, hide
from kiosk.ui.keys import Keys
from kiosk.ui.page import Base, Heading
from kiosk.ui.pager import Pager
from kiosk.ui.press import Push

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CHARACTERS_SHOWN = (24, 15)


class Page(Base):
    """Search."""

    lowered = (0.12, 0.0)  # forty keys need their room

    def build(self):
        self.typed, self.by_letters, self.from_ = "", True, 0
        self.heading = Heading("Search")
        self.field = Text(role="large", strong=True)
        self.field_box = Card(self.field, pad=(5, 2, 5, 2), high=(22, 27), border="river")
        self.field.pos_hint = {"center_y": 0.5}
        self.erase = Push("Delete", "delete-left", "search.erase", self._erase, role="body", typing=True, wide=(50, 60))
        self.kind = Push("", "language", "search.kind", self._other_kind, role="body", high=(20, 25))
        self.more = Push("More", "ellipsis", "search.more", self._more, role="body", high=(20, 25))
        self.keys = Keys(self._type, columns=7, tall=(20, 25))
        self.results = Pager(
            self.fill_in, least=((100, 110), (48, 48)), most=(54, 60), across=True, columns=((1, 1), (1, 1))
        )
        line = Stack(self.field_box, self.erase, across=True, gap=3, fit=True)
        switch = Stack(self.kind, self.more, across=True, gap=3, fit=True)
        self.left = column(line, self.keys, switch, gap=3, fit=True, pos_hint={"top": 1})
        self.nothing = Text("Nothing found. A person will gladly help you.", role="large", colour="soft")
        right = column(self.nothing, self.results, gap=3)
        return [self.heading, Stack(self.left, right, turns=True, gap=6)]

    def apply(self, theme):
        self.left.size_hint_x = 1 if theme.portrait else 1.25
        hide(self.heading, not theme.portrait and theme.elder)  # a low screen has room for keys only
        super().apply(theme)

    def draw(self, view):
        self.view, self.typed = view, view.session.typed
        self.field.say(
            self.typed or self.word("Letters, e.g. {example}", example="SB")
            if self.by_letters
            else self.typed or self.word("Touch the characters")
        )
        self.field.tint("ink" if self.typed else "soft")
        self.kind.ask("By characters" if self.by_letters else "By letters")
        self.erase.enable(bool(self.typed))
        self._offer_keys()
        hide(self.nothing, bool(view.found))
        self.results.offer(view.found)

    def _offer_keys(self):
        elder = self.theme.elder
        columns = 7
        if self.by_letters:
            self.keys.offer([(letter, letter) for letter in LETTERS], columns)
            for key in self.keys.pool[: len(LETTERS)]:
                key.enable(key.value in self.view.letters)
            hide(self.more, True)
            return
        count = CHARACTERS_SHOWN[elder]
        characters = self.view.characters
        if self.from_ >= len(characters):
            self.from_ = 0
        self.keys.offer([(c, c) for c in characters[self.from_ :][:count]], columns)
        for key in self.keys.pool:
            key.enable()
        hide(self.more, len(characters) <= count)

    def _type(self, value):
        self.from_ = 0
        self.press(Event.TYPED, (self.typed + value)[:12])

    def _erase(self):
        self.press(Event.TYPED, self.typed[:-1])

    def _other_kind(self):
        self.by_letters, self.from_ = not self.by_letters, 0
        self.press(Event.TYPED, "")

    def _more(self):
        self.from_ += CHARACTERS_SHOWN[self.theme.elder]
        self.draw(self.view)

    def fill_in(self, tile, service):
        """A service that fits."""
        first, second = self.names(service)
        tile.fill_in(
            first,
            second,
            None,
            remark(self, self.view, service),
            name=f"service.{service['code']}",
            act=self.says(Event.SERVICE, service),
        )
