"""The program of a window PC: pads, evaluators, strips and cameras in the hall's service; no window of its own."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from kiosk.attendant import Ears
from kiosk.roles import leave, post


def main(file: str) -> int:
    """Serve until told to stop."""
    machine = post.load(file)
    stop = threading.Event()
    post.on_signals(stop.set)
    token = post.wait_for_token(machine, "window", stop)
    if stop.is_set():
        return 0
    here = post.Post(Path(file), machine, "window", token, machine.gateway.port, Ears())
    here.start()
    print(f"ready {here.page.url}", flush=True)
    stop.wait()
    here.close()
    return 0


if __name__ == "__main__":
    leave(main, sys.argv[1])
