"""The station's own local web face: what is plugged into this machine, how it is doing, and a button to try it.

    app = create_gateway(station, title="窗口 1", login=PasswordFile(state / "gateway.password").matches)
    server = serve(app, "127.0.0.1", 8765)      server.url, server.close()
    gateway_of(app).hear(device, news)          let it have the news as well, for a camera's live picture

The page is one list and one device at a time; the server says every word in Chinese and English, the script only
puts them in their places.
"""

from devices.gateway.app import create_gateway, gateway_of
from devices.gateway.guard import PasswordFile
from devices.gateway.server import Server, serve

__all__ = ["PasswordFile", "Server", "create_gateway", "gateway_of", "serve"]
