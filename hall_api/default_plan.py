"""The hall one gets without asking: a town centre with queues A to D and three windows that each take everything.

The plan `town` of config/plans, except that every window is a comprehensive one (无差别综合受理): who tries the hall at
any of its windows is served there.
"""

from __future__ import annotations

from dataclasses import replace

from config import plans

_TOWN = plans.choose("town")
DEFAULT_PLAN = replace(
    _TOWN,
    windows=tuple(replace(w, name="综合窗口", kind="comprehensive", queues=()) for w in _TOWN.windows),
)
