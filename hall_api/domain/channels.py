"""Through what a visit at a window is rated: an evaluator that works, else the QR code on slip and window screen."""

from __future__ import annotations

from collections.abc import Iterable

from hall_api.domain.book import Draft
from hall_api.domain.events import RatingChannelChanged
from hall_api.domain.rows import DeviceState

EVALUATOR = "evaluator"
QR = "qr"
WORKS = ("ready", "degraded")


def rating_channel(window: int, devices: Iterable[DeviceState]) -> str:
    """`evaluator` or `qr`: every window always has a way to be rated."""
    return EVALUATOR if any(_rates(device) and window in device.windows for device in devices) else QR


def _rates(device: DeviceState) -> bool:
    return EVALUATOR in (device.roles or (device.role,)) and device.state in WORKS


def tell_channels(before: DeviceState | None, after: DeviceState, draft: Draft) -> None:
    """A window's last evaluator has gone, or its first one has come."""
    others = [d for d in draft.devices() if (d.machine, d.device) != (after.machine, after.device)]
    for window in sorted({*(before.windows if before else ()), *after.windows}):
        was = rating_channel(window, [*others, before] if before else others)
        now = rating_channel(window, [*others, after])
        if was != now:
            draft.tell(RatingChannelChanged(window=window, channel=now))
