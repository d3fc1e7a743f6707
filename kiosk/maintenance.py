"""The technician's door at the kiosk: a code of digits, kept only as an argon2 hash, and patience with wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

FILE = "technician.hash"
TRIES, WAIT_S = 3, 300.0


def set_code(state: Path, code: str) -> None:
    """Keep the hash of a new code (at least six digits) in the state folder. Raises ValueError for a weaker one."""
    from argon2 import PasswordHasher

    if not code.isdigit() or len(code) < 6:
        raise ValueError("the technician's code must be six digits or more, and nothing but digits")
    state.mkdir(parents=True, exist_ok=True)
    half = state / f"{FILE}.half"
    half.write_text(PasswordHasher().hash(code), encoding="ascii")
    os.chmod(half, 0o600)
    half.replace(state / FILE)


class Lock:
    """Whether a code opens; three wrong ones close it for five minutes, and without a code set nothing ever opens."""

    def __init__(self, state: Path) -> None:
        self._file = state / FILE
        self._wrong = 0
        self._until = 0.0

    def wait(self, now: float) -> float:
        """Seconds until another code may be tried."""
        return max(0.0, self._until - now)

    def opens(self, code: str, now: float) -> bool:
        """True when this is the code. Takes a tenth of a second, on purpose of the hash."""
        from argon2 import PasswordHasher
        from argon2.exceptions import Argon2Error, InvalidHashError

        if self.wait(now) or not self._file.exists():
            return False
        try:
            PasswordHasher().verify(self._file.read_text(encoding="ascii"), code)
        except (Argon2Error, InvalidHashError):
            self._wrong += 1
            if self._wrong >= TRIES:
                self._wrong, self._until = 0, now + WAIT_S
            return False
        self._wrong = 0
        return True
