"""Tells in one JSON line what the screen shows: for tests, for a demonstration that touches by itself, for audits.

Rectangles are [x, y, width, height] in dots from the top left. What was typed or read from a card is not told.
"""

from kiosk.ui.base import Icon, Text
from kiosk.ui.press import Press
from kiosk.ui.qr import Code


def describe(window):
    """{"page", "session", "elder", "language", "warning", "widgets": [{"name", "label", "rect", "enabled"}]}."""
    session = window.terminal.session
    warning = window.warning.parent is not None
    top = window.warning if warning else window.shell
    return {
        "page": window.terminal.view.page,
        "session": session.id,
        "elder": session.elder,
        "language": session.language,
        "warning": warning,
        "widgets": [
            {"name": b.name, "label": b.label, "rect": rect(window, b), "enabled": not b.disabled}
            for b in visible(top, Press)
        ],
    }


def rect(window, widget):
    """Where a widget is on the screen."""
    from_top = window.settings.screen.height - widget.top
    return [round(widget.x), round(from_top), round(widget.width), round(widget.height)]


def visible(widget, kind):
    """All widgets of a kind that are on the screen, below `widget`, from the top down."""
    if isinstance(widget, kind):
        yield widget
        if not isinstance(widget, Press) or kind is Press:
            return
    for child in reversed(widget.children):
        yield from visible(child, kind)


def audit(window):
    """Every text on the screen with its size and its box, every button, every code: what the size tests look at."""
    top = window.warning if window.warning.parent is not None else window.shell
    texts = []
    for text in visible(top, Text):
        if text.raw:
            texts.append(
                {
                    "text": text.written,
                    "raw": text.raw,
                    "font": text.font_name,
                    "size": text.painted_size,
                    "texture": list(text.picture),
                    "rect": rect(window, text),
                    "colour": text.colour,
                    "inside": rect(window, text.home) if getattr(text, "home", None) else None,
                }
            )
    return {
        **describe(window),
        "texts": texts,
        "icons": [{"name": icon.name, "rect": rect(window, icon)} for icon in visible(top, Icon)],
        "codes": [{"text": code.text, "rect": rect(window, code)} for code in visible(top, Code) if code.text],
    }
