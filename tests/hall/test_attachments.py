"""Papers attached to tickets, in both databases: sealed, for their window and managers, gone at the end of the day."""

from __future__ import annotations

import json
import stat

import pytest

from hall_api.domain.orders import (
    Actor,
    Attach,
    CallNext,
    Detach,
    Finish,
    Housekeep,
    Issue,
    OpenWindow,
    Outcome,
    Start,
    Transfer,
)
from hall_api.domain.refusal import Refusal
from hall_api.vault import FILE, Vault

KIOSK, WINDOW, MANAGER = (
    Actor(role="kiosk", name="k1"),
    Actor(role="window", name="w1"),
    Actor(role="manager", name="chen"),
)
WANG, LI = Actor(role="clerk", name="wang"), Actor(role="clerk", name="li")
PAPER = b"%PDF-1.7 a paper about somebody %%EOF"


@pytest.fixture
def vault(tmp_path) -> Vault:
    return Vault(tmp_path / "keys" / FILE)


def refused(call) -> str:
    with pytest.raises(Refusal) as refusal:
        call()
    return str(refusal.value.code)


def served(hall, window: int = 1, clerk: str = "wang") -> str:
    """A ticket being served."""
    hall.obey(OpenWindow(window=window, staff=clerk), WINDOW)
    hall.obey(Issue(queue="A"), KIOSK)
    ticket = hall.obey(CallNext(window=window), WINDOW)["id"]
    hall.obey(Start(ticket=ticket), WINDOW)
    return ticket


def test_kept_sealed_and_opened_again(hall, vault, tmp_path):
    (tmp_path / "keys").mkdir()
    ticket = served(hall)
    kept = hall.obey(Attach(ticket=ticket, size=len(PAPER), sealed=vault.seal(PAPER, ticket)), WANG, "key-1")
    again = hall.obey(Attach(ticket=ticket, size=len(PAPER), sealed=vault.seal(PAPER, ticket)), WANG, "key-1")
    assert again == kept  # a repeated request attaches nothing twice
    listed = hall.attachments(ticket, WANG)["attachments"]
    assert listed == [kept] and kept["size"] == len(PAPER) and kept["window"] == 1
    sealed = hall.attachment(ticket, kept["id"], WANG)
    assert b"somebody" not in sealed and vault.open(sealed, ticket) == PAPER
    told = [line for line in hall.events(0, audience=("staff",)) if line.type == "AttachmentAdded"]
    assert [json.loads(line.data)["attachment"] for line in told] == [kept["id"]]
    assert set(json.loads(told[0].data)) == {"ticket", "number", "queue", "attachment", "window", "size"}
    assert "AttachmentAdded" not in [line.type for line in hall.events(0)]  # screens hear nothing of it


def test_for_its_window_and_managers_only(hall, vault, tmp_path):
    (tmp_path / "keys").mkdir()
    ticket = served(hall)
    paper = Attach(ticket=ticket, size=3, sealed=vault.seal(b"abc", ticket))
    elsewhere = Actor(role="window", name="w2", window=2)
    for stranger in (LI, elsewhere, KIOSK, Actor(role="technician", name="t"), Actor(role="citizen")):
        assert refused(lambda who=stranger: hall.obey(paper, who)) == "not_your_ticket"
    kept = hall.obey(paper, Actor(role="window", name="w1", window=1))["id"]
    for stranger in (LI, elsewhere, KIOSK):
        assert refused(lambda who=stranger: hall.attachments(ticket, who)) == "not_your_ticket"
        assert refused(lambda who=stranger: hall.attachment(ticket, kept, who)) == "not_your_ticket"
        assert refused(lambda who=stranger: hall.obey(Detach(ticket=ticket, attachment=kept), who)) == "not_your_ticket"
    assert len(hall.attachments(ticket, MANAGER)["attachments"]) == 1
    hall.obey(OpenWindow(window=2, staff="li"), WINDOW)
    hall.obey(Transfer(ticket=ticket, window=2), WINDOW)
    hall.obey(CallNext(window=2), WINDOW)
    assert len(hall.attachments(ticket, LI)["attachments"]) == 1  # its papers go with it
    assert refused(lambda: hall.attachments(ticket, WANG)) == "not_your_ticket"


def test_only_while_at_a_window_and_not_without_end(hall, vault, tmp_path):
    (tmp_path / "keys").mkdir()
    waiting = hall.obey(Issue(queue="B"), KIOSK)["id"]
    assert refused(lambda: hall.obey(Attach(ticket=waiting, size=1, sealed=b"x"), MANAGER)) == "cannot_attach"
    ticket = served(hall)
    for _ in range(20):
        hall.obey(Attach(ticket=ticket, size=1, sealed=b"x"), WANG)
    assert refused(lambda: hall.obey(Attach(ticket=ticket, size=1, sealed=b"x"), WANG)) == "too_many_attachments"
    first = hall.attachments(ticket, WANG)["attachments"][0]["id"]
    assert hall.obey(Detach(ticket=ticket, attachment=first), WANG) is None
    assert refused(lambda: hall.attachment(ticket, first, WANG)) == "no_attachment"
    assert refused(lambda: hall.obey(Detach(ticket=ticket, attachment=first), WANG)) == "no_attachment"
    assert len(hall.attachments(ticket, WANG)["attachments"]) == 19
    hall.obey(Finish(ticket=ticket, outcome=Outcome.DONE), WANG)
    assert len(hall.attachments(ticket, WANG)["attachments"]) == 19  # the clerk may still look
    assert refused(lambda: hall.obey(Attach(ticket=ticket, size=1, sealed=b"x"), WANG)) == "cannot_attach"


def test_gone_at_the_end_of_the_day(hall, clock):
    ticket = served(hall)
    hall.obey(Attach(ticket=ticket, size=1, sealed=b"x"), WANG)
    hall.obey(Finish(ticket=ticket, outcome=Outcome.ACCEPTED), WANG)
    clock.on(hours=7)
    hall.obey(Housekeep(), Actor(role="system"))
    assert len(hall.attachments(ticket, MANAGER)["attachments"]) == 1  # 23:00
    clock.on(hours=2)
    hall.obey(Housekeep(), Actor(role="system"))
    assert hall.attachments(ticket, MANAGER)["attachments"] == []


def test_two_processes_on_one_database(open_hall, url):
    one, other = open_hall(url), open_hall(url)
    ticket = served(one)
    kept = one.obey(Attach(ticket=ticket, size=1, sealed=b"x"), WANG)["id"]
    assert other.attachment(ticket, kept, WANG) == b"x"
    other.obey(Detach(ticket=ticket, attachment=kept), WANG)
    assert one.attachments(ticket, WANG)["attachments"] == []


# ---- the key ----


def test_the_key_is_a_file_only_we_may_read(tmp_path):
    file = tmp_path / FILE
    sealed = Vault(file).seal(PAPER, "ticket-1")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and [f.name for f in tmp_path.iterdir()] == [FILE]
    assert Vault(file).open(sealed, "ticket-1") == PAPER  # after a restart
    assert Vault(file).seal(PAPER, "ticket-1") != sealed
    assert refused(lambda: Vault(file).open(sealed, "ticket-2")) == "wrong_vault"  # not another ticket's
    assert refused(lambda: Vault(file).open(sealed[:-1] + b"?", "ticket-1")) == "wrong_vault"
    file.chmod(0o640)
    assert refused(lambda: Vault(file).open(sealed, "ticket-1")) == "open_vault"
    file.chmod(0o600)
    file.write_text("no key")
    assert refused(lambda: Vault(file).seal(PAPER, "ticket-1")) == "no_vault"
    file.unlink()
    assert refused(lambda: Vault(file).open(sealed, "ticket-1")) == "no_vault"  # and none is made to open something
    assert not file.exists()
    assert refused(lambda: Vault(None).seal(PAPER, "ticket-1")) == "no_vault"
