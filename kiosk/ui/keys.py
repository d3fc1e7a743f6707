"""Big keys in a grid: digits, letters, characters."""

from kiosk.ui.base import Air, Stack, Text, style
from kiosk.ui.press import Press


class Key(Press):
    """One key; what it types stands on it."""

    def __init__(self, act, **kwargs):
        self.face = Text(role="large", strong=True, align="center", grow=False)
        super().__init__(self.face, name="", act=lambda: act(self.value), typing=True, shadow=False, pad=0, **kwargs)
        self.value = ""

    def become(self, value, face):
        self.value, self.name = value, f"key.{value}"
        self.face.say(face)


class Keys(Stack):
    """A grid of keys, `columns` wide; `act(value)` is called with the value of a pressed key."""

    def __init__(self, act, columns=3, tall=(20, 25), wide=None, **kwargs):
        super().__init__(gap=3, fit=True, wide=wide, **kwargs)
        self.key_act, self.columns, self.tall, self.theme = act, columns, tall, None
        self.pool, self.lines, self.values = [], [], ()

    def offer(self, values, columns=None):
        """Show these keys: (value, face) pairs."""
        if columns:
            self.columns = columns
        self.values = tuple(values)
        self._arrange()

    def apply(self, theme):
        self.theme = theme
        super().apply(theme)
        self._arrange()

    def _arrange(self):
        if self.theme is None:
            return
        while len(self.pool) < len(self.values):
            key = Key(self.key_act)
            style(key, self.theme)
            self.pool.append(key)
        for key, (value, face) in zip(self.pool, self.values, strict=False):
            key.become(value, face)
        count = -(-len(self.values) // self.columns)
        while len(self.lines) < count:
            self.lines.append(Stack(across=True, gap=3, high=self.tall))
        for line in self.lines:
            line.clear_widgets()
            line.parts = []
        for number in range(count):
            self._fill_line(self.lines[number], self.pool[: len(self.values)][number * self.columns :][: self.columns])
        self.parts = self.lines[:count]
        self.settle()
        for line in self.parts:
            line.high = self.tall
            style(line, self.theme)

    def _fill_line(self, line, keys):
        line.parts = list(keys)
        for key in keys:
            if key.parent is not None:
                key.parent.remove_widget(key)
        missing = self.columns - len(keys)
        if missing and self.columns <= 12:
            line.parts += [Air() for _ in range(missing)]
        line._members = []
        line.settle()
