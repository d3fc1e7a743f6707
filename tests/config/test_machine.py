"""hall.toml: a short file makes a whole station, and what contradicts itself is told in sentences."""

from dataclasses import replace
from pathlib import Path

import pytest

from config import machine as machines
from config import plans
from config.plan import HallPlan, Policy, Queue, Service, Staff, Window
from config.reader import Mistake
from config.writer import write

VILLAGE = """\
[machine]
name = "village-01"

[hall]
public_url = "http://192.168.1.10:8000"

[plan]
name = "青山村便民服务站"

[[device]]
name = "printer"
driver = "escpos-printer"
link = "serial:///dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0?baud=19200"
options = { width = 48 }

[[device]]
name = "bus"
driver = "queue-bus"
link = "serial:///dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0?baud=9600"
windows = { 1 = 1 }

[[device]]
name = "strip"
driver = "pingan-strip"
link = "socket://192.168.1.21:5000"
windows = { 1 = 1 }
"""


@pytest.fixture
def load(tmp_path):
    def write_and_load(text: str):
        file = tmp_path / "hall.toml"
        file.write_text(text, encoding="utf-8")
        return machines.load(file)

    return write_and_load


def mistakes(load, text):
    with pytest.raises(Mistake) as caught:
        load(text)
    return [line.split("hall.toml: ", 1)[-1] for line in caught.value.lines]


def test_a_village_station_fits_on_one_screen(load, tmp_path):
    assert len([line for line in VILLAGE.splitlines() if line]) < 30
    machine = load(VILLAGE)
    assert machine.about.roles == ("hall", "kiosk", "window")
    assert machine.plan.name == "青山村便民服务站"
    assert machine.plan.queues[0].code == "A"
    assert machine.window_numbers == (1,)
    assert machine.device("bus").windows == {1: 1}
    assert machine.device("printer").options == {"width": 48}
    assert machine.database == f"sqlite:///{tmp_path}/state/hall.db"
    assert machine.hall_url == "http://127.0.0.1:8000"
    assert machine.public_url == "http://192.168.1.10:8000"
    assert machine.token_file("kiosk") == tmp_path / "state/kiosk.token"


def test_a_written_machine_is_read_back(load, tmp_path):
    machine = load(VILLAGE)
    text = write(machine, base=tmp_path)
    assert replace(load(text), plan=None) == replace(machine, plan=None)


def test_a_window_machine_knows_where_the_hall_is(load):
    machine = load(
        '[machine]\nname = "w3"\nroles = ["window"]\nhall = "https://hall.local/"\n[windows]\nnumbers = [3]\n'
    )
    assert machine.plan is None
    assert machine.hall_url == "https://hall.local"
    assert machine.window_numbers == (3,)


def test_a_hall_on_every_network_is_reached_on_this_machine(load):
    machine = load('[machine]\nname = "h"\n[hall]\nhost = "0.0.0.0"\nport = 80\n')
    assert machine.hall_url == "http://127.0.0.1:80"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["machine: is missing"]),
        ("[machine]\n", ["machine.name: is missing (a name for this machine, unique in the hall)"]),
        ('[machine]\nname = ""', ["machine: name must not be empty"]),
        (
            '[machine]\nname = "x"\nroles = ["hall", "kiosq"]',
            ["machine.roles[2]: expected one of hall, kiosk, window, got 'kiosq'"],
        ),
        (
            '[machine]\nname = "x"\nroles = ["kiosk"]',
            ["machine.hall: is missing: a machine without the role hall must be told the hall's address"],
        ),
        (
            '[machine]\nname = "x"\nhall = "hall.local"',
            ["machine: hall must be an address like http://10.0.0.5:8000, got 'hall.local'"],
        ),
        ('[machine]\nname = "x"\n[hall]\nport = 99999', ["hall.port: must be at most 65535, got 99999"]),
        (
            '[machine]\nname = "x"\n[hall]\ndatabase = "postgresql://hall:secret@db/hall"',
            ["hall: database: a password does not belong into this file; name a file with `password`"],
        ),
        (
            '[machine]\nname = "x"\n[hall]\nplan = "vilage"',
            ["hall.plan: expected one of town, village or a .toml file, got 'vilage'"],
        ),
        (
            '[machine]\nname = "x"\n[[device]]\nname = "p"\ndriver = "escpos-printer"\nlink = "/dev/ttyS0"',
            ["device[1]: link must start with its kind (serial://, socket://, sim:), got '/dev/ttyS0'"],
        ),
        (
            '[machine]\nname = "x"\n[kiosk]\nprinter = "q"\n[[device]]\nname = "p"\ndriver = "d"\nlink = "sim:"',
            ["kiosk.printer: no device is called 'q'; there are: p"],
        ),
        (
            '[machine]\nname = "x"\n' + '[[device]]\nname = "p"\ndriver = "d"\nlink = "sim:"\n' * 2,
            ["device: two devices are called p"],
        ),
        (
            '[machine]\nname = "x"\n[[device]]\nname = "p"\ndriver = "d"\nlink = "sim:"\nwindows = {1 = 9}',
            ["device.p.windows.1: there is no window 9; the hall has 1"],
        ),
        ('[machine]\nname = "x"\n[windows]\nnumbers = [4]', ["windows.numbers: there is no window 4; the hall has 1"]),
        ('plan = 3\n[machine]\nname = "x"', ["plan: expected a table, got 3"]),
        (
            '[machine]\nname = "x"\n[[plan.queues]]\ncode = "b"\nname = "x"\n',
            ["plan.queues[1].code: expected one or two letters A to Z, got 'b'"],
        ),
    ],
)
def test_what_is_wrong_is_told_in_its_place(load, text, lines):
    assert mistakes(load, text)[: len(lines)] == lines


def test_a_plan_on_a_machine_without_a_hall_is_a_mistake(load):
    text = '[machine]\nname = "x"\nroles = ["window"]\nhall = "http://h"\n[plan]\nname = "y"\n'
    assert mistakes(load, text) == ["plan: belongs to the machine with the role hall, which this is not"]


def test_a_plan_file_beside_hall_toml(load, tmp_path):
    (tmp_path / "plan.toml").write_text(write(plans.choose("town")))
    assert load('[machine]\nname = "x"\n[hall]\nplan = "plan.toml"').plan == plans.choose("town")
    (tmp_path / "plan.toml").write_text('name = "x"\n')
    with pytest.raises(Mistake, match=r"plan\.toml: queues: a hall needs at least one queue"):
        load('[machine]\nname = "x"\n[hall]\nplan = "plan.toml"')


@pytest.mark.parametrize("name", plans.names())
def test_our_own_plans_are_sound_and_cover_every_category(name):
    plan = plans.choose(name)
    assert plans.nonsense(plan) == []
    assert {service.category for service in plan.services} == {category.code for category in plan.categories}
    assert {service.queue for service in plan.services} == {queue.code for queue in plan.queues}
    assert {"manager", "technician", "clerk"} == {person.role for person in plan.staff}


PLAN = HallPlan(name="x", queues=(Queue(code="A", name="a"),), windows=(Window(no=1, name="w"),))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"queues": PLAN.queues * 2}, "queues: 'A' is there twice"),
        ({"windows": ()}, "windows: a hall needs at least one window"),
        (
            {"windows": (Window(no=1, name="w", queues=("B",)),)},
            "windows.1.queues: there is no queue 'B'; there are: A",
        ),
        (
            {"services": (Service(code="s", name="s", english="s", category="c", queue="A"),)},
            "services.s.category: there is no category 'c'; there are: none",
        ),
        (
            {"staff": (Staff(login="li", work_no="1", name="l", window=2),)},
            "staff.li.window: there is no window 2; there are: 1",
        ),
        ({"time_zone": "Asia/Bejing"}, "time_zone: expected a name like Asia/Shanghai, got 'Asia/Bejing'"),
        ({"time_zone": "../etc"}, "time_zone: expected a name like Asia/Shanghai, got '../etc'"),
        (
            {"policy": replace(PLAN.policy, day_change="24:30")},
            "policy.day_change: expected a time like 00:00, got '24:30'",
        ),
        (
            {"policy": Policy(extra_holidays=("国庆",))},
            "policy.extra_holidays: expected dates like 2026-10-01, got '国庆'",
        ),
    ],
)
def test_a_plan_that_cannot_be_meant(change, line):
    assert plans.nonsense(PLAN) == []
    assert plans.nonsense(replace(PLAN, **change)) == [line]


def test_state_folder_stays_where_the_file_is(load, tmp_path):
    assert load('[machine]\nname = "x"\nstate = "/var/lib/bianmin"').about.state == Path("/var/lib/bianmin")
    assert load('[machine]\nname = "x"\nstate = "s"').about.state == tmp_path / "s"


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[2] / "docs/examples").glob("*.toml")), ids=lambda f: f.stem
)
def test_the_examples_of_the_manual_are_in_order(file):
    assert machines.load(file).about.name


def test_a_password_comes_from_a_file_of_its_owner(load, tmp_path):
    text = '[machine]\nname = "x"\n[hall]\ndatabase = "postgresql://hall@db:5432/hall"\npassword = "db.password"\n'
    machine = load(text)
    secret = tmp_path / "db.password"
    with pytest.raises(Mistake, match=r"db\.password: cannot be read"):
        machine.database_with_password()
    secret.write_text("p@ss/ 词\n")
    secret.chmod(0o644)
    with pytest.raises(Mistake, match="others may read this secret: chmod 600"):
        machine.database_with_password()
    secret.chmod(0o600)
    assert machine.database_with_password() == "postgresql://hall:p%40ss%2F%20%E8%AF%8D@db:5432/hall"
    assert "p%40ss" not in machine.database
