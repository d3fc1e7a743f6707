"""A window whose clerk scans: a document camera under which tests lay pages, a sheet printer and a foot pedal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from document_camera import SIZE, DocumentCamera
from local_hall import Clerk

from devices.station import DeviceEntry

OPTIONS = {"width": SIZE[0], "height": SIZE[1], "fps": 15}


class ScanDesk(Clerk):
    """That window."""

    def __init__(self, bench: Any, folder: Path, camera: DocumentCamera) -> None:
        self.bench, self.folder, self.choices, self.local = bench, folder, {}, None
        bench.entries.append(DeviceEntry("desk-camera", "uvc-camera", camera.link, OPTIONS))
        bench.add_on_tcp("sheets", "cups-printer", "ipp")
        bench.add_on_tcp("pedal", "hid-pedal", "socket")
