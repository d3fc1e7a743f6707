"""The file by which an administrator tells Chromium, Chrome and Edge on Linux that these pages may reach this machine.

Chrome 142 asks the clerk before a page may send anything to this device (Local Network Access), once for each site, and
asks only on secure pages; from 147 on that holds for WebSockets too. A managed policy answers for the clerk:

    LocalNetworkAccessAllowedForUrls                 Chrome and Edge 139 and later
    LoopbackNetworkAllowedForUrls                    146 and later, which split the permission
    OverrideSecurityRestrictionsOnInsecureOrigin     for pages by plain http, which may not even ask: treated as secure
    CACertificates                                   trusts the gateway's own authority for https

A browser ignores the names it does not know.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

FILE = "bianmin-gateway.json"


@dataclass(frozen=True)
class Browser:
    """Where a browser looks for managed policies, and by what programs we see that it is there."""

    name: str
    folder: str
    programs: tuple[str, ...]


BROWSERS = (
    Browser("Chromium", "etc/chromium/policies/managed", ("chromium",)),
    Browser("Chromium (Ubuntu)", "etc/chromium-browser/policies/managed", ("chromium-browser",)),
    Browser("Chrome", "etc/opt/chrome/policies/managed", ("google-chrome", "google-chrome-stable")),
    Browser("Edge", "etc/opt/edge/policies/managed", ("microsoft-edge", "microsoft-edge-stable")),
)


def policy(origins: Iterable[str], authority: x509.Certificate | None = None) -> dict[str, Any]:
    """The managed policy for these origins."""
    listed = sorted(set(origins))
    made: dict[str, Any] = {
        "LocalNetworkAccessAllowedForUrls": listed,
        "LoopbackNetworkAllowedForUrls": listed,
    }
    if plain := [origin for origin in listed if origin.startswith("http://")]:
        made["OverrideSecurityRestrictionsOnInsecureOrigin"] = plain
    if authority is not None:
        der = authority.public_bytes(serialization.Encoding.DER)
        made["CACertificates"] = [base64.b64encode(der).decode()]
    return made


def text_of(made: dict[str, Any]) -> str:
    """The same as the file's text."""
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def folders(root: Path = Path("/")) -> list[Path]:
    """Where to put it on this machine: for each browser that is installed, or has such a folder."""
    found = []
    for browser in BROWSERS:
        folder = root / browser.folder
        if folder.parent.parent.is_dir() or (root == Path("/") and any(shutil.which(one) for one in browser.programs)):
            found.append(folder)
    return found


def write(text: str, folder: Path) -> Path:
    """Put it there, readable by every browser. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    file, half = folder / FILE, folder / f".{FILE}.half"
    half.write_text(text, encoding="utf-8")
    os.chmod(half, 0o644)
    half.replace(file)
    return file
