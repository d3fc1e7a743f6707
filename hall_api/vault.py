"""Seals what citizens' papers say, so that the database alone tells nobody anything.

AES-256-GCM from `cryptography`; the key is a file of its own that only we may read, beside the database and not in
it. Machines that share a database share this file too.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hall_api.domain.refusal import Kind, Refusal

FILE = "attachments.key"
NONCE = 12  # bytes in front of what is sealed
SQLITE = "sqlite:///"


class Vault:
    """Seals and opens with one key file, which is made when something is sealed for the first time."""

    def __init__(self, file: Path | None) -> None:
        """`file` None: nothing can be kept here."""
        self._file = file
        self._key: AESGCM | None = None

    def seal(self, plain: bytes, place: str) -> bytes:
        """`plain`, to be opened at the same `place` (a ticket's id) only. Raises Refusal no_vault."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._cipher(make=True).encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """What was sealed. Raises Refusal no_vault; wrong_vault when it was sealed elsewhere or altered."""
        try:
            return self._cipher().decrypt(sealed[:NONCE], sealed[NONCE:], place.encode())
        except InvalidTag:
            raise Refusal("wrong_vault", Kind.UNAVAILABLE) from None

    def _cipher(self, make: bool = False) -> AESGCM:
        if self._key is None:
            if self._file is None:
                raise Refusal("no_vault", Kind.UNAVAILABLE)
            try:
                if make and not self._file.exists():
                    _make(self._file)
                if stat.S_IMODE(self._file.stat().st_mode) & 0o077:
                    raise Refusal("open_vault", Kind.UNAVAILABLE)
                self._key = AESGCM(bytes.fromhex(self._file.read_text("ascii").strip()))
            except (OSError, ValueError) as trouble:
                raise Refusal("no_vault", Kind.UNAVAILABLE) from trouble
        return self._key


def vault_beside(database: str) -> Vault:
    """The vault of a hall whose database is a file; of another one none, until somebody names its key file."""
    where = database.removeprefix(SQLITE)
    return Vault(Path(where).with_name(FILE) if where and where != database else None)


def _make(file: Path) -> None:
    """A new key; of several processes that make one at the same time one wins, and all use it."""
    half = file.with_name(f"{file.name}.{secrets.token_hex(4)}.half")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
        out.write(AESGCM.generate_key(256).hex())
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(half, file)
    except FileExistsError:
        pass
    finally:
        half.unlink()
