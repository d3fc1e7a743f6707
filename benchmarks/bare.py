"""An empty Flask route on the server the hall runs on: how fast it could be if it did nothing."""

from __future__ import annotations

import gevent
from flask import Flask
from gevent.pywsgi import WSGIServer

from hall_api.process import Handler
from hall_api.server import listen


def main() -> None:
    """Serve until told to stop."""
    app = Flask("bare")

    @app.get("/empty")
    def empty() -> dict[str, bool]:
        return {"ok": True}

    listener = listen("127.0.0.1", 0)
    server = WSGIServer(listener, app, log=None, error_log=None, handler_class=Handler)
    gevent.signal_handler(15, server.stop)
    server.start()
    print(f"ready http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
