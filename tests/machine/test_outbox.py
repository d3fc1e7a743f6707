"""A citizen's rating survives a hall that is away and a machine that is switched off."""

import pytest
from waiting import until as wait

from kiosk.outbox import Outbox


class Away(Exception):
    pass


class Hall:
    """The other end: may be away, and remembers what arrived."""

    def __init__(self):
        self.away = False
        self.stumbles_over = None  # a grade
        self.got = []

    def send(self, message):
        if self.away:
            raise Away
        if message.body["grade"] == self.stumbles_over:
            return False
        self.got.append((message.key, message.path, dict(message.body)))
        return True


@pytest.fixture
def hall():
    return Hall()


def test_messages_arrive_in_order_once_the_hall_is_back(tmp_path, hall):
    hall.away = True
    box = Outbox(tmp_path / "outbox", hall.send, Away, pause=0.02)
    keys = [box.put("/tickets/x/rate", {"grade": grade}) for grade in (5, 2, 4)]
    wait(lambda: len(box.waiting()) == 3)
    hall.away = False
    wait(lambda: not box.waiting())
    box.close()
    assert [(key, body["grade"]) for key, _, body in hall.got] == list(zip(keys, (5, 2, 4), strict=True))


def test_a_switched_off_machine_sends_with_the_same_key_after_its_next_start(tmp_path, hall):
    hall.away = True
    box = Outbox(tmp_path / "outbox", hall.send, Away, pause=0.02)
    key = box.put("/tickets/x/rate", {"grade": 1})
    box.close()
    hall.away = False
    again = Outbox(tmp_path / "outbox", hall.send, Away, pause=0.02)
    wait(lambda: hall.got)
    again.close()
    assert hall.got == [(key, "/tickets/x/rate", {"grade": 1})]


def test_a_spoilt_file_is_put_aside_and_holds_nothing_up(tmp_path, hall):
    folder = tmp_path / "outbox"
    folder.mkdir()
    (folder / "000000-a.json").write_text("{half")
    box = Outbox(folder, hall.send, Away, pause=0.02)
    box.put("/tickets/x/rate", {"grade": 3})
    wait(lambda: hall.got)
    box.close()
    assert [p.suffix for p in folder.iterdir()] == [".spoilt"]


def test_a_message_the_hall_breaks_down_over_is_kept_and_holds_the_others_up_no_longer(tmp_path, hall):
    hall.stumbles_over = 2
    box = Outbox(tmp_path / "outbox", hall.send, Away, pause=0.02)
    for grade in (2, 5):
        box.put("/tickets/x/rate", {"grade": grade})
    wait(lambda: [body["grade"] for _, _, body in hall.got] == [5])
    assert len(box.waiting()) == 1
    hall.stumbles_over = None  # mended
    wait(lambda: not box.waiting())
    box.close()
    assert [body["grade"] for _, _, body in hall.got] == [5, 2]
