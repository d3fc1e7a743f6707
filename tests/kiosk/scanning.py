"""A kiosk's real program with a document camera and a printer for sheets on real cables, and a hall that is away.

Nothing of scanning and copying needs the hall: so it is not there.
"""

import sys
from pathlib import Path

from devices.simulate import SimulatedDevice

TOML = """
[machine]
name = "k1"
roles = ["kiosk"]
state = "state"
hall = "http://127.0.0.1:9"
[kiosk]
idle = {idle}
warning = {warning}
[kiosk.screen]
width = {width}
height = {height}
width_mm = 268.0
height_mm = 476.0
full = false
[gateway]
port = {port}
[[device]]
name = "camera"
driver = "uvc-camera"
link = "{camera}"
options = {{ width = 1200, height = 1600 }}
[[device]]
name = "sheets"
driver = "cups-printer"
link = "ipp:{sheets}"
"""


class Program:
    """The files of the kiosk in `folder`, and its printer."""

    def __init__(self, folder: Path, camera: str, port: int, idle=60, warning=20, size=(1080, 1920)):
        self.folder, self.printer = folder, SimulatedDevice("cups-printer").on_tcp()
        folder.mkdir(exist_ok=True)
        self.file = folder / "hall.toml"
        width, height = size
        sheets = self.printer.link.partition(":")[2]
        self.file.write_text(
            TOML.format(camera=camera, sheets=sheets, port=port, idle=idle, warning=warning, width=width, height=height)
        )
        state = folder / "state"
        state.mkdir(mode=0o700)
        (state / "kiosk.token").touch(0o600)
        (state / "kiosk.token").write_text("a token the hall would know")
        self.argv = [sys.executable, "-P", "-m", "kiosk.roles.kiosk", str(self.file), "--announce"]

    @property
    def documents(self):
        """What has been printed."""
        return list(self.printer.obeyed)

    def close(self):
        self.printer.close()
