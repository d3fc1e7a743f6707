"""Sentences with names in them: English in logs, and in Chinese wherever a technician reads them."""

import ast
import errno
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import devices
from config.words import Sentence, joined, words_of
from devices.gateway.wording import speaker

HOUSE = Path(devices.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
REASONS = ("LinkAbsent", "LinkLost")
MADE_BY = ("Sentence", "_refuse_all")  # what is called with a message id


def module_of(file: Path) -> ModuleType:
    inside = file.relative_to(HOUSE.parent).with_suffix("")
    return importlib.import_module(".".join(inside.parts))


def calls(file: Path, *names: str) -> Iterator[ast.Call]:
    """Every call of a function or method with one of these names."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
            yield node


def ids_of(node: ast.expr, module: ModuleType) -> list[str]:
    """The message ids an argument may be: written there, or a constant or table of its module; none for a variable."""
    if isinstance(node, ast.Constant):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*ids_of(node.body, module), *ids_of(node.orelse, module)]
    if isinstance(node, ast.Subscript):
        return list(vars(module)[ast.unparse(node.value)].values())
    return [vars(module)[node.id]] if isinstance(node, ast.Name) and node.id in vars(module) else []


def files() -> list[Path]:
    return [file for file in HOUSE.rglob("*.py") if any(calls(file, *MADE_BY))]


def test_every_sentence_that_is_filled_in_has_its_chinese():
    say, said = speaker(room="devices.gateway.local"), set()
    for file in files():
        for call in calls(file, *MADE_BY):
            said.update(ids_of(call.args[0], module_of(file)))
    assert len(said) > 60
    assert sorted(one for one in said if not CHINESE.search(say(one)[0])) == []
    for one in said:  # the same is filled in, in both languages
        assert set(re.findall(r"\{(\w+)\}", say(one)[0])) == set(re.findall(r"\{(\w+)\}", one)), one


def test_no_cable_gives_a_reason_that_cannot_be_said_in_chinese():
    """What a link raises is a Sentence made there, whose message id is in sight, or one that was made elsewhere."""
    reasons = 0
    for file in [*(HOUSE / "links").glob("*.py"), HOUSE / "cable.py"]:
        for call in calls(file, *REASONS):
            reasons += 1
            assert not isinstance(call.args[0], ast.Constant | ast.JoinedStr), f"{file.name}:{call.lineno}"
        for call in calls(file, *MADE_BY):
            assert ids_of(call.args[0], module_of(file)), f"{file.name}:{call.lineno}"
    assert reasons > 35


def test_why_an_order_is_not_done_has_its_chinese():
    """What a driver or a conversation says in one piece; what it fills in is a Sentence."""
    outcomes = ("_end", "Refused", "Unconfirmed", "refused", "unconfirmed", "_refused", "OrderMistake")
    said = set()
    for file in (file for file in HOUSE.rglob("*.py") if "gateway" not in file.parts):
        for call in calls(file, *outcomes):
            plain = [
                one for one in (*call.args, *(given.value for given in call.keywords)) if isinstance(one, ast.Constant)
            ]
            said.update(one.value for one in plain if isinstance(one.value, str) and " " in one.value)
    assert len(said) > 25
    assert sorted(one for one in said if not CHINESE.search(speaker()(one)[0])) == []


def test_a_sentence_in_a_sentence_is_said_in_both_languages():
    say = speaker()
    gone = Sentence("the cable was unplugged ({why})", why=words_of(OSError(errno.ENODEV, "No such device")))
    cable = Sentence("The cable was lost: {why}.", why=gone)
    lost = Sentence("{device} is not connected: {why}", device="strip", why=cable)
    english = "strip is not connected: The cable was lost: the cable was unplugged (No such device)."
    assert lost == english
    assert say(lost) == ("strip 未连接：链路断开：线缆被拔出（没有该设备）。", english)
    assert lost.holds(gone.id) and not lost.holds("the other end hung up")


def test_what_was_filled_in_is_never_filled_in_itself():
    held = Sentence("{user} is using {node}; stop that program.", user="{node} (process 8)", node="/dev/ttyS0")
    assert speaker()(held) == ("{node} (process 8) 正在占用 /dev/ttyS0：请结束该程序。", str(held))


def test_plain_text_in_braces_stays_as_it_is():
    text = "{node} is of no kind we know"
    assert speaker()(text) == (text, text)


def test_parts_that_are_joined_keep_their_words():
    said = joined("; ", ["缺纸 paper out", Sentence("the other end hung up")])
    assert said == "缺纸 paper out; the other end hung up"
    assert speaker()(said) == ("缺纸 paper out; 对方断开了连接", said)
    assert joined("; ", []) == ""


def test_a_name_is_a_name_though_it_is_a_word_as_well():
    away = Sentence("{device} is not connected: {why}", device="red", why=Sentence("the simulator was closed"))
    assert speaker()("red") == ("红色", "red")
    assert speaker()(away)[0] == "red 未连接：仿真器已关闭"


def test_what_the_system_says_may_hold_braces():
    assert words_of(ValueError("no {host}")) == "no {host}"
    said = Sentence("A device dialled in and said nothing ({why}).", why=words_of(ValueError("no {host}")))
    assert speaker()(said) == ("有设备连入，但没有发送任何内容（no {host}）。", str(said))
