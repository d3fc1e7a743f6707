"""Device families, one file each. Being in this folder is being registered: `escpos_printer.py` is `escpos-printer`."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def names() -> list[str]:
    """Every driver on this machine, by the name a configuration uses."""
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__))


def load(name: str) -> ModuleType:
    """The module of a driver: it holds `Driver` and `Simulator`. Raises KeyError with the known names."""
    if name not in names():
        raise KeyError(f"no driver is called {name!r}; there are: {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
