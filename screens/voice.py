"""Speaks a call aloud: 请A023号到3号窗口, digit by digit, after a soft chime.

Recorded clips come first: a voice pack is a folder of WAV files named after what they say (`CLIPS`), all of one format.
Where a clip is missing, the built-in voice espeak-ng speaks the sentence in a process of its own with a time limit.
Where that is missing too, only the chime sounds and `Voice.fault` says who should do what; boards go on showing.
Everything rendered is kept on disk by its text, so that a number is rendered once however many boards ask for it.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import shutil
import subprocess
import tempfile
import wave
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RATE = 22050  # Hz; what espeak-ng speaks at
DIGITS = "零一二三四五六七八九"
CHIME = ((783.99, 0.0, 0.42), (587.33, 0.26, 0.62))  # two tones falling by a fourth: (Hz, start s, length s)
CHIME_LOUD = 0.32  # of full scale; speech is brought to 0.85
SPEECH_LOUD = 0.85
PAUSE_S = 0.18  # between chime and sentence
# The plain `cmn` voice of espeak-ng 1.51 reads its own pinyin as English ("king three" for 请); this one does not.
# -k 0: capitals are letters here, not shouting; -b 1: UTF-8 whatever the locale.
SPEAKING = ("-v", "cmn-latn-pinyin", "-s", "130", "-p", "48", "-k", "0", "-b", "1")
CALLS = ("TicketCalled", "TicketRecalled")
CHECK = "语音播报已开启"
CLIPS = "chime 请 号 到 号窗口 零 一 … 九 十 百 A … Z 语音播报已开启"


def tens(number: int) -> str:
    """A window's number as one says it: 3 → 三, 12 → 十二, 105 → 一百零五. Up to 999."""
    hundreds, rest = divmod(number, 100)
    ten, one = divmod(rest, 10)
    head = f"{DIGITS[hundreds]}百" if hundreds else ""
    if not rest:
        return head or DIGITS[0]
    if not ten:
        return f"{head}零{DIGITS[one]}" if head else DIGITS[one]
    middle = "十" if ten == 1 and not head else f"{DIGITS[ten]}十"
    return head + middle + (DIGITS[one] if one else "")


def spoken(number: str, window: int) -> list[str]:
    """What to say for the call of `number` (A023) to `window`, piece by piece; each is a clip of a voice pack."""
    pieces = [DIGITS[int(c)] if c in "0123456789" else c.upper() for c in number if c.isalnum()]
    return ["请", *pieces, "号", "到", *tens(window), "号窗口"]


def sentence(pieces: list[str]) -> str:
    """The pieces as a text for the built-in voice, with short rests so that each digit can be told apart."""
    text = ""
    for piece in pieces:
        text += f" {piece} " if piece.isascii() else piece
        text += "，" if piece == "号" else ""
    return " ".join(text.split())


@dataclass
class Voice:
    """The hall's voice. `cache` is a folder that may be emptied at any time; `pack` a folder of clips, or None.

    `clips()` blocks for tens of milliseconds (a subprocess): call it outside the server's own loop.
    `on_fault(sentence)` is told once when the voice is lost and once, with "", when it is back.
    """

    cache: Path
    pack: Path | None = None
    program: str = "espeak-ng"
    patience: float = 5.0  # s
    on_fault: Callable[[str], None] = lambda _sentence: None
    fault: str = field(default="", init=False)

    def call(self, number: str, window: int) -> bytes:
        """The WAV of one call: chime, rest, sentence. Chime alone when no voice can be had (see `fault`)."""
        return self._kept(spoken(number, window))

    def check(self) -> bytes:
        """The WAV that tells staff the sound is on."""
        return self._kept([CHECK])

    def _kept(self, pieces: list[str]) -> bytes:
        name = hashlib.sha256("\0".join([str(self.pack or ""), self.program, *pieces]).encode()).hexdigest()[:32]
        file = self.cache / f"{name}.wav"
        try:
            return file.read_bytes()
        except OSError:
            pass  # not rendered yet, or the cache was emptied
        speech = self._recorded(pieces) or self._synthetic(sentence(pieces))
        if speech is None:
            return as_wave(chime())
        sound = as_wave(self._chime() + array("h", bytes(2 * int(PAUSE_S * RATE))) + speech)
        self._keep(file, sound)
        return sound

    def _keep(self, file: Path, sound: bytes) -> None:
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.cache, delete=False) as half:
                half.write(sound)
            os.replace(half.name, file)  # two boards may ask at once; neither reads half a file
        except OSError:
            return  # a full disk costs a rendering each time, not the call

    def _chime(self) -> array[int]:
        own = _clip(self.pack / "chime.wav") if self.pack else None
        return own if own is not None else chime()

    def _recorded(self, pieces: list[str]) -> array[int] | None:
        if self.pack is None:
            return None
        speech = array("h")
        for piece in pieces:
            clip = _clip(self.pack / f"{piece}.wav")
            if clip is None:
                return None
            speech += clip
        return speech

    def _synthetic(self, text: str) -> array[int] | None:
        command = [self.program, *SPEAKING, "--stdout", "--stdin"]
        try:
            done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=self.patience, check=True)
            speech = _samples(done.stdout)
        except FileNotFoundError:
            self._lost(f"语音引擎 {self.program} 未安装，叫号只有提示音。请技术人员安装 {self.program}。")
            return None
        except (OSError, subprocess.SubprocessError, ValueError, EOFError, wave.Error) as trouble:
            self._lost(f"语音引擎没有应答（{type(trouble).__name__}），叫号只有提示音。请技术人员检查 {self.program}。")
            return None
        if self.fault:
            self.fault = ""
            self.on_fault("")
        return louder(trimmed(speech), SPEECH_LOUD)

    def _lost(self, reason: str) -> None:
        if reason != self.fault:
            self.fault = reason
            self.on_fault(reason)

    def state(self) -> dict[str, str]:
        """{"state": "ready" or "missing", "reason": a sentence} without speaking; for boards and the devices page."""
        if self.fault:
            return {"state": "missing", "reason": self.fault}
        if self.pack is None and shutil.which(self.program) is None:
            return {
                "state": "missing",
                "reason": f"语音引擎 {self.program} 未安装，叫号只有提示音。请技术人员安装 {self.program}。",
            }
        return {"state": "ready", "reason": ""}


def chime() -> array[int]:
    """A soft falling two-tone chime, 16-bit mono at RATE."""
    total = max(start + length for _, start, length in CHIME)
    sound = [0.0] * int(total * RATE)
    for pitch, start, length in CHIME:
        first = int(start * RATE)
        for i in range(int(length * RATE)):
            at = i / RATE
            swell = min(1.0, at / 0.012) * math.exp(-4.6 * at / length)
            tone = math.sin(2 * math.pi * pitch * at) + 0.28 * math.sin(4 * math.pi * pitch * at)
            sound[first + i] += swell * tone
    peak = max(map(abs, sound))
    return array("h", (int(32767 * CHIME_LOUD * s / peak) for s in sound))


def louder(samples: array[int], loud: float) -> array[int]:
    """The same sound with its peak at `loud` of full scale."""
    peak = max(map(abs, samples), default=0)
    if not peak:
        return samples
    factor = 32767 * loud / peak
    return array("h", (int(s * factor) for s in samples))


def trimmed(samples: array[int], quiet: int = 60) -> array[int]:
    """The same sound without the silence at both ends, so that the next call need not wait for it."""
    heard = [i for i, s in enumerate(samples) if abs(s) > quiet]
    return samples[heard[0] : heard[-1] + 1] if heard else samples


def as_wave(samples: array[int]) -> bytes:
    """16-bit mono samples as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def _samples(data: bytes) -> array[int]:
    """The samples of a WAV that must be 16-bit mono at RATE; ValueError, EOFError or wave.Error when it is not."""
    with wave.open(io.BytesIO(data)) as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if shape != (1, 2, RATE):
            raise ValueError(f"expected 1 channel, 2 bytes, {RATE} Hz; got {shape}")
        # espeak-ng writes to a pipe and so states a length of 2 GB: read what is there.
        samples = array("h")
        raw = file.readframes(file.getnframes())
        samples.frombytes(raw[: len(raw) // 2 * 2])
    if not samples:
        raise ValueError("the voice said nothing")
    return samples


def _clip(file: Path) -> array[int] | None:
    try:
        return _samples(file.read_bytes())
    except (OSError, ValueError, EOFError, wave.Error):
        return None


def call_of(event: Mapping[str, Any] | None) -> tuple[str, int] | None:
    """(number, window) when this journal event is a call to be announced."""
    if event is None or event.get("type") not in CALLS:
        return None
    return str(event["data"]["number"]), int(event["data"]["window"])
