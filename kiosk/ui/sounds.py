"""The terminal's own soft sounds, made of a few sine waves; a machine that cannot play them stays silent.

Nothing here may ever trouble a citizen: whatever goes wrong with sound is noted once and then left alone.
"""

from __future__ import annotations

import array
import logging
import math
import wave
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
RATE = 44100
# name: (frequency in Hz, start in s, length in s, loudness 0…1), played over one another
TUNES: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "press": ((660.0, 0.0, 0.06, 0.16),),
    "done": ((523.25, 0.0, 0.25, 0.2), (783.99, 0.12, 0.4, 0.2)),
    "taken": ((1046.5, 0.0, 0.12, 0.16), (1568.0, 0.06, 0.22, 0.12)),
    "sorry": ((392.0, 0.0, 0.25, 0.2), (329.63, 0.16, 0.4, 0.2)),
    "warning": ((587.33, 0.0, 0.2, 0.22), (587.33, 0.3, 0.3, 0.22)),
    "card": ((880.0, 0.0, 0.15, 0.22), (880.0, 0.25, 0.15, 0.22), (880.0, 0.5, 0.3, 0.22)),
}


def samples(name: str) -> bytes:
    """16-bit mono samples of a tune, with a soft beginning and end so that nothing clicks."""
    tones = TUNES[name]
    length = int(RATE * max(start + long for _, start, long, _ in tones))
    out = array.array("h", bytes(2 * length))
    for hertz, start, long, loud in tones:
        count = int(RATE * long)
        for i in range(count):
            swell = min(1.0, i / (RATE * 0.008)) * (1.0 - i / count) ** 1.5
            at = int(RATE * start) + i
            if at < length:
                out[at] += int(32767 * loud * swell * math.sin(2 * math.pi * hertz * i / RATE))
    return out.tobytes()


def write_all(folder: Path) -> dict[str, Path]:
    """A WAV file for each tune; files that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.wav" for name in TUNES}
    for name, file in files.items():
        if not file.exists():
            half = file.with_suffix(".half")
            with wave.open(str(half), "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(RATE)
                out.writeframes(samples(name))
            half.replace(file)
    return files


class Sounds:
    """Plays tunes; `play` never raises."""

    def __init__(self, folder: Path, wanted: bool = True) -> None:
        self._folder = folder
        self._loaded: dict[str, Any] = {}
        self._silent = not wanted

    def load(self) -> None:
        """Make and load the tunes (a moment after the first page is shown)."""
        if self._silent:
            return
        try:
            from kivy.core.audio import SoundLoader

            self._loaded = {name: SoundLoader.load(str(file)) for name, file in write_all(self._folder).items()}
        except Exception as trouble:  # noqa: BLE001 - sound systems fail in every way there is; silence is the answer
            log.info("this terminal stays silent: %s", trouble)

    def play(self, name: str) -> None:
        """Sound a tune from its beginning, if this machine can."""
        sound = self._loaded.get(name)
        if sound is not None and not self._silent:
            try:
                sound.stop()
                sound.play()
            except Exception as trouble:  # noqa: BLE001 - see load
                self._silent = True
                log.info("this terminal stays silent from now on: %s", trouble)
