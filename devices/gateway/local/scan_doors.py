"""The doors of a scan: orders to it, its pages as pictures, the finished files, and a copy on paper."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request

from devices.gateway.local.asking import given, outcome, watcher
from devices.gateway.local.scans import KINDS, PICTURES, Scan

if TYPE_CHECKING:
    from devices.gateway.local.gateway import LocalGateway

ANY = ",".join(f"'{name}'" for name in PICTURES if name != "thumbnail")


def open_scan_doors(app: Flask, gateway: LocalGateway) -> None:
    """Give the app these doors."""
    scans = gateway.scans

    def mine(key: str) -> Scan:
        return scans.of(key, gateway.page_of(request))

    @app.post("/v1/scans/<key>/<name>")
    def order(key: str, name: str) -> Response:
        return jsonify(scans.order(mine(key), name, given()))

    @app.get("/v1/scans/<key>/pages/<int:page>/thumbnail")
    def thumbnail(key: str, page: int) -> Response:
        """For an `<img>`, which can carry nothing but its address."""
        return Response(scans.picture(scans.of(key, None), page, "thumbnail"), mimetype="image/jpeg")

    @app.get(f"/v1/scans/<key>/pages/<int:page>/<any({ANY}):what>")
    def picture(key: str, page: int, what: str) -> Response:
        return Response(scans.picture(mine(key), page, what), mimetype="image/jpeg")

    @app.post("/v1/scans/<key>/preview")
    def preview(key: str) -> Response:
        return Response(scans.preview(mine(key), given()), mimetype="image/jpeg")

    @app.post("/v1/scans/<key>/file")
    def file(key: str) -> Response:
        return _handed_over(scans.files(mine(key), given()))

    @app.post("/v1/scans/<key>/print")
    def print_copy(key: str) -> Response | tuple[Response, int]:
        return outcome(scans.print(mine(key), given(), watcher()), gateway.say)


def _handed_over(files: Sequence[tuple[str, bytes]]) -> Response:
    """One file as it is, several in a ZIP."""
    if len(files) == 1:
        [(name, data)] = files
        kind = KINDS[name.rpartition(".")[2]]
    else:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:  # pictures are compressed already
            for one, part in files:
                pack.writestr(one, part)
        name, data, kind = "scan.zip", out.getvalue(), "application/zip"
    response = Response(data, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
