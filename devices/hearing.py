"""Whether a device is heard, and clearly: each of these things is told once when it begins and once when it ends."""

from __future__ import annotations

from devices.roles import Alive, Garbled, News


class Hearing:
    """What has been told of how one device, or one line, is heard. A driver begins with a new one at each reset."""

    def __init__(self) -> None:
        self.alive = False  # it was told that the device has spoken
        self.garbled = False  # it was told that there is noise, and not yet that it is over

    def lives(self, news: list[News], detail: str = "") -> None:
        """The device has said something that is its own."""
        if not self.alive:
            self.alive = True
            news.append(Alive(detail=detail))

    def noise(self, news: list[News]) -> None:
        """Something came that is nothing of the device's, or something was lost."""
        if not self.garbled:
            self.garbled = True
            news.append(Garbled())

    def clear(self, news: list[News]) -> None:
        """What came is clear again."""
        if self.garbled:
            self.garbled = False
            news.append(Garbled(over=True))
