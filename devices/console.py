"""How the device commands speak: lines at once, a sentence and an exit code for mistakes, an end that signals bring."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

from config.hall_file import Stale


def until_told() -> threading.Event:
    """An event that SIGINT and SIGTERM set."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    return done


@contextlib.contextmanager
def sentences() -> Iterator[None]:
    """Mistakes of the person at the keyboard become one sentence and exit code 1."""
    try:
        yield
    except KeyError as wrong:
        said = str(wrong.args[0])
        if " " not in said:
            raise  # no sentence that somebody wrote for a person, so a mistake of our own
        fail(said)
    except Stale:
        fail("The file was changed by somebody else in the meantime; nothing was saved. Look at it and try again.")
    except ValueError as wrong:  # every Mistake of the house is one, and its text is fit to be shown
        fail(str(wrong))


def fail(sentence: str) -> NoReturn:
    """End with 1 and a sentence."""
    say_line(sentence, err=True)
    sys.exit(1)


def line(value: object) -> None:
    """One JSON line."""
    say_line(json.dumps(value, ensure_ascii=False))


def say_line(text: str, err: bool = False) -> None:
    """One line at once; a reader that has gone away ends us quietly."""
    try:
        print(text, file=sys.stderr if err else sys.stdout, flush=True)
    except BrokenPipeError:
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115 - nothing more can be said, not even at exit
        sys.exit(1)
