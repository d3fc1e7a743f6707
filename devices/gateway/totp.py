"""The technician's second factor: six figures from an authenticator (TOTP, RFC 6238), each good for one time only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyotp

from config.private_file import is_private, write_private

ISSUER = "Bianmin"
LENGTH = 32  # characters of base32: 160 bits, as RFC 4226 recommends
STEP = 30  # seconds
DRIFT = 1  # steps a phone's clock may be off


class TotpFile:
    """The secret of one machine, in a file only its owner can read, and below it the newest step taken.

    So figures count once for every page of this machine, also after one of its programs was started anew.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self.path, self._now = path, now
        self._lock = threading.Lock()

    @property
    def is_set(self) -> bool:
        """True when a second factor has been set up."""
        return self.path.exists()

    @staticmethod
    def fresh() -> str:
        """A new secret, in base32."""
        return pyotp.random_base32(LENGTH)

    @staticmethod
    def address(secret: str, machine: str) -> str:
        """What an authenticator's camera reads: otpauth://totp/…"""
        return pyotp.TOTP(secret).provisioning_uri(name=machine, issuer_name=ISSUER)

    def set(self, secret: str, code: str) -> bool:
        """Keep a secret, when the figures prove that an authenticator has it; False when they do not."""
        step = self._step(secret, code)
        if step is None:
            return False
        with self._lock:
            self._write(secret, step)
        return True

    def matches(self, code: str) -> bool:
        """True for the figures of now, once. A missing or readable-by-all file lets nobody in.

        Raises OSError when it cannot be kept that they were taken.
        """
        with self._lock:
            try:
                if not is_private(self.path):
                    return False
                secret, _, used = self.path.read_text(encoding="ascii").strip().partition("\n")
            except (OSError, UnicodeDecodeError):
                return False
            step = self._step(secret, code)
            if step is None or (used.isdecimal() and step <= int(used)):
                return False
            self._write(secret, step)
            return True

    def _write(self, secret: str, step: int) -> None:
        write_private(self.path, f"{secret}\n{step}\n".encode("ascii"))

    def _step(self, secret: str, code: str) -> int | None:
        """The step whose figures these are; None when they are none of about now."""
        given = code.replace(" ", "")
        if not given.isascii() or not given.isdigit():
            return None
        totp, now = pyotp.TOTP(secret), int(self._now()) // STEP
        fit = [
            step
            for step in range(now - DRIFT, now + DRIFT + 1)
            if pyotp.utils.strings_equal(totp.at(step * STEP), given)
        ]
        return fit[-1] if fit else None
