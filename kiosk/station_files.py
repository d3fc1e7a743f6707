"""Lends the hall's pages the browser's side of the local gateway, so that a clerk's page can use the clerk's devices.

The files are the gateway's own; here they come from the hall's address, as a business system would serve its copy.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, send_from_directory

import devices

FOLDER = Path(devices.__file__).resolve().parent / "gateway" / "local" / "static"
FILES = ("bianmin-devices.js", "bianmin-scan.js", "bianmin-scan.css")


def create_station_files(port: int) -> Blueprint:
    """The blueprint: /static/station/…; `port` is where the gateway of a clerk's computer usually is."""
    station = Blueprint("station", __name__)
    names = ",".join(f"'{name}'" for name in FILES)

    @station.get(f"/static/station/<any({names}):name>")
    def file(name: str) -> Response:
        return send_from_directory(FOLDER, name)

    @station.get("/static/station/where.js")
    def where() -> Response:
        """The usual address, as a module."""
        return Response(f'export const STATION = "http://127.0.0.1:{port}";\n', mimetype="text/javascript")

    return station
