"""For technicians: how the devices are, a test slip, and the way out of the terminal."""

from kiosk.journey import Event
from kiosk.ui.base import Stack, Text, hide
from kiosk.ui.page import Base, Heading
from kiosk.ui.pager import Pager
from kiosk.ui.press import Push

ICONS = {
    "ready": "circle-check",
    "degraded": "circle-exclamation",
    "error": "circle-xmark",
    "absent": "plug-circle-xmark",
    "connecting": "rotate",
    "disabled": "ban",
}


class Page(Base):
    """Maintenance."""

    lowered = (0.3, 0.0)

    def build(self):
        self.heading = Heading("Maintenance")
        self.note = Text(role="body", colour="jade", strong=True)
        self.pager = Pager(self.fill_in, least=((115, 120), (38, 48)), most=(44, 56), across=True)
        again = Push("Look again", "rotate", "maintenance.refresh", self.says(Event.LOOK), role="body", high=(22, 26))
        test = Push("Test slip", "print", "maintenance.test", self.says(Event.REPRINT), role="body", high=(22, 26))
        leave = Push(
            "Close the terminal", "power-off", "maintenance.leave", self.says(Event.CODE), "stop", "body", high=(22, 26)
        )
        done = Push(
            "Back to service", "check", "maintenance.finish", self.says(Event.FINISH), "act", "body", high=(22, 26)
        )
        return [
            self.heading,
            self.note,
            self.pager,
            Stack(again, test, across=True, gap=4, fit=True),
            Stack(leave, done, across=True, gap=4, fit=True),
        ]

    def draw(self, view):
        self.note.ask(view.note)
        hide(self.note, not view.note)
        self.pager.offer(view.all_devices, keep_page=True)

    def fill_in(self, tile, device):
        """A device with its state in words; nothing happens when it is touched."""
        state = str(device["state"])
        words = " · ".join(part for part in (self.word(f"device {state}"), str(device.get("reason", ""))) if part)
        tile.fill_in(
            str(device["device"]),
            "",
            ICONS.get(state, "circle-question"),
            f"{self.word('role ' + str(device['role']))} · {words}",
            name=f"device.{device['device']}",
            act=lambda: None,
        )
