"""One line of the table of speeds: what was measured, beside the limit measured in the same run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Row:
    """`ours` and `limit` are in `unit`; `of` says what the limit is. `met`: whether the aim is reached."""

    what: str
    ours: float
    unit: str
    limit: float | None = None
    of: str = ""
    aim: str = ""
    met: bool | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours in units of the limit."""
        return self.ours / self.limit if self.limit else None

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "ratio": self.ratio}
