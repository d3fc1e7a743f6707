"""The doors of the hall as a whole: is it well, what does it offer, what does its board show."""

from __future__ import annotations

from typing import Any

from hall_api.version import VERSION
from hall_api.web.doors import ANYONE, MANAGER, STAFF, Ask, Noun

hall = Noun("hall", "The hall as a whole")


@hall.get("/healthz", ANYONE, "Health")
def healthz(ask: Ask) -> dict[str, Any]:
    """Say that the hall answers, and how far its journal is."""
    return {"status": "ok", "seq": ask.front.hall.last_seq(), "version": VERSION}


@hall.get("/openapi.json", ANYONE, "")
def openapi(ask: Ask) -> dict[str, Any]:
    """This description."""
    return ask.front.description


@hall.get("/hall", ANYONE, "Hall")
def see_hall(ask: Ask) -> dict[str, Any]:
    """What is written above the hall's entrance, and its rules as numbers."""
    return ask.front.hall.hall()


@hall.get("/services", ANYONE, "Services")
def list_services(ask: Ask) -> dict[str, Any]:
    """All service items, by category."""
    return ask.front.hall.services()


@hall.get("/board", ANYONE, "Board")
def see_board(ask: Ask) -> dict[str, Any]:
    """What the hall board shows."""
    return ask.front.hall.board()


@hall.get("/alarms", STAFF, "Alarms")
def list_alarms(ask: Ask) -> dict[str, Any]:
    """What someone must go and look at."""
    return ask.front.hall.alarms()


@hall.get("/cases", (MANAGER,), "Cases")
def list_cases(ask: Ask) -> dict[str, Any]:
    """Rectification cases that poor ratings opened."""
    return ask.front.hall.cases()


@hall.get("/day", (MANAGER,), "Day")
def see_day(ask: Ask) -> dict[str, Any]:
    """The day's figures."""
    return ask.front.hall.day()
