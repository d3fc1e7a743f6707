"""The local page's words in two languages, also of sentences in which something is filled in."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from config.words import FIRST, Sentence, translator

ROOM = "devices.gateway"
Say = Callable[[str], tuple[str, str]]


@cache
def speaker(second: str = "en", room: str = ROOM) -> Say:
    """A function from a sentence to (Chinese, second language); twice the same when there are no words for it.

    What `room`, a part of the local page with catalogues of its own, has no words for, the page itself may have.
    """

    def words(language: str, message: str) -> str:
        own = translator(room, language)(message)
        return own if own != message else translator(ROOM, language)(message)

    def say_in(language: str, message: str) -> str:
        if not isinstance(message, Sentence):
            return words(language, message)
        parts = {
            name: say_in(language, part) if isinstance(part, Sentence) else part
            for name, part in message.fields.items()
        }
        said = words(language, message.id)
        return said.format(**parts) if parts else said

    return lambda message: (say_in(FIRST, message), say_in(second, message))
