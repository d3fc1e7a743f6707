"""The local device gateway: pages of business systems use this machine's devices, over loopback, once they are paired.

    app = create_gateway(station, title="窗口 1")                    the technician's page
    local = LocalGateway(station, title="窗口 1", pairs=state / "pairs.json", origins=("https://…",))
    local.mount(app)                                                /v1/… of the same server
    local.hear(device, news)                                        let it have the news as well

What each door takes and gives stands in docs/gateway.md. The browser's side is `static/bianmin-devices.js`.
"""

from devices.gateway.local.gateway import LocalGateway
from devices.gateway.local.pairs import Pairs

__all__ = ["LocalGateway", "Pairs"]
