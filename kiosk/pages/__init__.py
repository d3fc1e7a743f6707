"""One file for each page of the terminal, found by the page's name; each has a class `Page`."""

import importlib


def load(name, press, theme):
    """The page of this name, made now."""
    return importlib.import_module(f"{__name__}.{name}").Page(press, theme)
