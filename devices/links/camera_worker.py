"""The program of one camera: opens it, sets it up, sends its pictures. `devices.links.v4l2` runs it and may kill it.

The order of the settings matters: two cameras on one USB bus fit only with MJPG, and some drivers forget the size when
the format changes (OpenCV, issues 9540, 24289).
"""

from __future__ import annotations

import os
import re
import select
import socket
import sys
from typing import Any, Protocol

WAIT_ASK = 2.0  # s the worker waits to be told a format
ASK = re.compile(r"ASK (\w{4}) (\d+)x(\d+)@(\d+)((?: \w+=[\d.eE+-]+)*)")
FIRST = 3  # pictures dropped after opening: exposure settles
BUFFERS = 4  # pictures V4L2 may hold that are older than a wish for a still
MISSES = 3  # failed reads in a row
QUALITY = 92  # of JPEGs we must make ourselves, when the camera grants no MJPG


class Camera(Protocol):
    """What we use of cv2.VideoCapture."""

    def get(self, what: int, /) -> float: ...
    def set(self, what: int, value: float, /) -> bool: ...
    def grab(self) -> bool: ...
    def read(self) -> tuple[bool, Any]: ...


class Unusable(Exception):
    """The camera cannot go on; the text says why."""


def set_up(camera: Camera, ask: str) -> str:
    """Set format, size, rate and controls in the order that works; returns what was granted, `MJPG 640x480@30`."""
    import cv2  # only the worker loads it

    wanted = ASK.fullmatch(ask)
    if wanted:
        camera.set(cv2.CAP_PROP_FOURCC, int.from_bytes(wanted[1].encode(), "little"))
        camera.set(cv2.CAP_PROP_FRAME_WIDTH, int(wanted[2]))
        camera.set(cv2.CAP_PROP_FRAME_HEIGHT, int(wanted[3]))
        camera.set(cv2.CAP_PROP_FPS, int(wanted[4]))
        for name, _, value in (one.partition("=") for one in wanted[5].split()):
            control = getattr(cv2, f"CAP_PROP_{name.upper()}", None)
            if control is not None:
                camera.set(control, float(value))
    fourcc = int(camera.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=False).decode("ascii", "replace")
    camera.set(cv2.CAP_PROP_CONVERT_RGB, 0 if fourcc == "MJPG" else 1)
    width, height = int(camera.get(cv2.CAP_PROP_FRAME_WIDTH)), int(camera.get(cv2.CAP_PROP_FRAME_HEIGHT))
    for _ in range(FIRST):
        camera.grab()
    return f"{re.sub('[^0-9A-Za-z]', '_', fourcc)} {width}x{height}@{camera.get(cv2.CAP_PROP_FPS):g}"


def next_jpeg(camera: Camera) -> bytes:
    """The next picture: as the camera compressed it, else compressed here. Raises Unusable."""
    import cv2

    for _ in range(MISSES):
        good, picture = camera.read()
        if not good:
            continue
        if picture.ndim == 3 and picture.shape[2] == 3:
            return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
        raw = bytes(picture.tobytes())
        if raw.startswith(b"\xff\xd8"):
            return raw
    raise Unusable("the camera stopped sending pictures; unplug it and plug it in again")


def serve(camera: Camera, line: socket.socket) -> None:
    """Send pictures until the other end hangs up; obey its lines. Raises Unusable."""
    held, asked, patience = b"", False, WAIT_ASK
    while True:
        if select.select([line], [], [], patience)[0]:
            data = line.recv(4096)
            if not data:
                return
            held += data
        patience = 0.0
        *lines, held = held.split(b"\n")
        for one in lines or ([] if asked else [b""]):
            if one == b"STILL":
                for _ in range(BUFFERS):
                    camera.grab()
                line.sendall(b"V4L2 STILL\n")
            elif one.startswith(b"ASK") or not asked:
                asked = True
                line.sendall(f"V4L2 {set_up(camera, one.decode(errors='replace'))}\n".encode())
        line.sendall(next_jpeg(camera))


def main(node: str) -> None:
    """Open the camera and serve it on standard input, which is a socket."""
    import cv2

    camera = cv2.VideoCapture(node, cv2.CAP_V4L2)
    if not camera.isOpened():
        sys.exit(f"{node} cannot be opened as a camera; another program may be using it")
    line = socket.socket(fileno=os.dup(0))
    try:
        serve(camera, line)
    except Unusable as why:
        sys.exit(str(why))
    except (BrokenPipeError, ConnectionResetError):
        return  # nobody looks any more


if __name__ == "__main__":
    main(sys.argv[1])
