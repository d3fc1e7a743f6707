"""Tells in one JSON line what the screen shows: for tests, for a demonstration that touches by itself, for audits.

Rectangles are [x, y, width, height] in dots from the top left. What was typed or read from a card is not told.
"""

from kiosk.ui.base import Icon, Text
from kiosk.ui.cropper import Cropper
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
        ]
        + [corner for cropper in visible(top, Cropper) for corner in corners(window, cropper)],
    }


def corners(window, cropper):
    """The four rings of a picture that is being cropped, told like buttons: `crop.1` is the upper left one."""
    side, high = round(cropper.side), window.settings.screen.height
    return [
        {
            "name": f"{cropper.name}.{number}",
            "label": "",
            "rect": [round(x - side / 2), round(high - y - side / 2), side, side],
            "enabled": True,
        }
        for number, (x, y) in enumerate(cropper.places(), 1)
    ]


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


def ground(widget):
    """The colour token a widget stands on: of the nearest surface or bar around it, else the paper of every page."""
    while widget is not None and widget.parent is not widget:
        token = getattr(widget, "fill_token", None) or getattr(widget, "ground_token", None)
        if token:
            return token
        widget = widget.parent
    return "paper"


def surface(widget):
    """The button or card around a widget, if there is one."""
    while widget is not None and widget.parent is not widget:
        if getattr(widget, "fill_token", None):
            return widget
        widget = widget.parent
    return None


def audit(window):
    """Every text on the screen with its size and its box, every button, every code: what the size tests look at."""
    top = window.warning if window.warning.parent is not None else window.shell
    texts = [
        {
            "text": text.written,
            "raw": text.raw,
            "size": text.painted_size,
            "picture": list(text.picture),
            "rect": rect(window, text),
            "inside": rect(window, surface(text) or text.home),
            "colour": text.colour,
            "ground": ground(text),
            "enabled": not text.disabled,
        }
        for text in visible(top, Text)
        if text.raw
    ]
    return {
        **describe(window),
        "texts": texts,
        "icons": [{"name": icon.name, "rect": rect(window, icon)} for icon in visible(top, Icon)],
        "codes": [{"text": code.text, "rect": rect(window, code)} for code in visible(top, Code) if code.text],
    }
