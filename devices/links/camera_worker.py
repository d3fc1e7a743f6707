"""The program of one camera: opens it, sets it up, sends its pictures. `devices.links.v4l2` runs it and may kill it.

The order of the settings matters: two cameras on one USB bus fit only with MJPG, and some drivers forget the size when
the format changes (OpenCV, issues 9540, 24289).

Where a bus is full all the same, everything succeeds but the start of the stream: a camera reserves its share of the
bus only then, and VIDIOC_STREAMON fails with ENOSPC (usb_submit_urb and usb_set_interface, "USB error codes" in the
kernel's manual; the V4L2 manual gives no code of its own for it). OpenCV keeps that to itself and merely reads no
picture, so we ask the kernel once more ourselves.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import select
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from devices.links.v4l2 import CLOSED, STOPPED

WAIT_ASK = 2.0  # s the worker waits to be told a format
ASK = re.compile(r"ASK (\w{4}) (\d+)x(\d+)@(\d+)((?: \w+=[\d.eE+-]+)*)")
FIRST = 3  # pictures dropped after opening: exposure settles
BUFFERS = 4  # pictures V4L2 may hold that are older than a wish for a still
MISSES = 3  # failed reads in a row
FULL = b"V4L2 FULL\n"
ROOM = 5.0  # s until a camera is tried again for which the bus had no room; shorter than HANG
VIDIOC_REQBUFS, VIDIOC_STREAMON = 0xC0145608, 0x40045612  # linux/videodev2.h
CAPTURE, MMAP = 1, 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP
QUALITY = 92  # of JPEGs we must make ourselves, when the camera grants no MJPG


class Camera(Protocol):
    """What we use of cv2.VideoCapture."""

    def get(self, what: int, /) -> float: ...
    def set(self, what: int, value: float, /) -> bool: ...
    def grab(self) -> bool: ...
    def read(self) -> tuple[bool, Any]: ...
    def release(self) -> None: ...


@dataclass
class Wishes:
    """What we were told, and still hold to when the camera has to be opened again."""

    ask: str | None = None  # None: nothing yet
    held: bytes = b""  # the beginning of a line


class Unusable(Exception):
    """The camera cannot go on; `code` says why to whoever runs us, the text to a person."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


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
    raise Unusable(STOPPED, "the camera stopped sending pictures; unplug it and plug it in again")


def serve(camera: Camera, line: socket.socket, wishes: Wishes | None = None) -> None:
    """Send pictures until the other end hangs up; obey its lines. Raises Unusable."""
    told, patience = wishes or Wishes(), WAIT_ASK
    if told.ask is not None:
        line.sendall(f"V4L2 {set_up(camera, told.ask)}\n".encode())
        patience = 0.0
    while True:
        if select.select([line], [], [], patience)[0]:
            data = line.recv(4096)
            if not data:
                return
            told.held += data
        patience = 0.0
        *lines, told.held = told.held.split(b"\n")
        for one in lines or ([] if told.ask is not None else [b""]):
            if one == b"STILL":
                for _ in range(BUFFERS):
                    camera.grab()
                line.sendall(b"V4L2 STILL\n")
            elif one.startswith(b"ASK") or told.ask is None:
                told.ask = one.decode(errors="replace")
                line.sendall(f"V4L2 {set_up(camera, told.ask)}\n".encode())
        line.sendall(next_jpeg(camera))


def bus_is_full(node: str, ask: Callable[[int, int, bytes], object] = fcntl.ioctl) -> bool:
    """Whether the kernel finds no room on the USB bus for a camera that nobody has open now, in the format it was set
    to last. The stream that is started to find out ends when this returns."""
    try:
        device = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        ask(device, VIDIOC_REQBUFS, struct.pack("5I", 2, CAPTURE, MMAP, 0, 0))
        ask(device, VIDIOC_STREAMON, struct.pack("i", CAPTURE))
    except OSError as trouble:
        return trouble.errno == errno.ENOSPC
    finally:
        os.close(device)
    return False


def keep_serving(
    open_camera: Callable[[], Camera], line: socket.socket, is_full: Callable[[], bool], wait: float = ROOM
) -> None:
    """Serve the camera until the other end hangs up. While the bus has no room for it, say so and try again.

    Raises Unusable.
    """
    wishes = Wishes()
    while True:
        camera = open_camera()
        try:
            serve(camera, line, wishes)
            return
        except Unusable:
            camera.release()  # the kernel is asked about a camera only when nobody holds it
            if not is_full():
                raise
        line.sendall(FULL)
        if select.select([line], [], [], wait)[0] and not line.recv(1, socket.MSG_PEEK):
            return


def main(node: str) -> None:
    """Open the camera and serve it on standard input, which is a socket."""
    import cv2

    def open_camera() -> Camera:
        camera = cv2.VideoCapture(node, cv2.CAP_V4L2)
        if not camera.isOpened():
            raise Unusable(CLOSED, f"{node} cannot be opened as a camera; another program may be using it")
        return camera

    try:
        keep_serving(open_camera, socket.socket(fileno=os.dup(0)), lambda: bus_is_full(node))
    except Unusable as why:
        print(why, file=sys.stderr)
        sys.exit(why.code)
    except (BrokenPipeError, ConnectionResetError):
        return  # nobody looks any more


if __name__ == "__main__":
    main(sys.argv[1])
