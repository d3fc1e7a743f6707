"""Every sentence on a page is there in Chinese, and no translation waits for a page that no longer says it."""

import re
from pathlib import Path

import pytest

from config.script_words import script_words, words_module
from config.words import messages
from screens import strip_texts

ROOT = Path(__file__).resolve().parents[2]
MACROS = {"two": (0,), "deed": (1,), "door": (2, 3)}  # template macro → which of its arguments are messages


def template_words(folder):
    found = set()
    for page in folder.rglob("*.html"):
        text = page.read_text("utf-8")
        found |= {a or b for a, b in re.findall(r"""\b(?:_|second)\((?:"([^"]*)"|'([^']*)')\)""", text)}
        for macro, places in MACROS.items():
            for call in re.findall(rf'\{{\{{ {macro}\(("[^}}]*)\) \}}\}}', text):
                arguments = re.findall(r'"([^"]*)"', call)
                found |= {arguments[i] for i in places}
    return found


ROOMS = {
    "hall_api/pages": set(),
    "screens": set(strip_texts.SENTENCES.values()),
}


@pytest.mark.parametrize("room", ROOMS)
def test_every_message_has_its_chinese(room):
    said = template_words(ROOT / room) | set(script_words(ROOT / room / "static")) | ROOMS[room]
    known = messages(ROOT / room / "locale" / "zh_CN" / "LC_MESSAGES" / "bianmin.po")
    assert len(said) > 40
    assert {m for m in said if not known.get(m)} == set()
    assert {m for m in known if m not in said} == set()


@pytest.mark.parametrize("room", ROOMS)
def test_translations_fill_the_same_gaps(room):
    known = messages(ROOT / room / "locale" / "zh_CN" / "LC_MESSAGES" / "bianmin.po")
    for english, chinese in known.items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", chinese)), english


def test_scripts_say_only_what_the_module_gives_them():
    module = words_module(ROOT / "screens" / "static", "screens", "en")
    assert '"Welcome": [\n"欢迎光临",\n"Welcome"\n]' in module
    for folder in (ROOT / "hall_api/pages/static", ROOT / "screens/static"):
        for script in folder.glob("*.js"):
            text = script.read_text("utf-8")
            assert not re.search(r"\bboth\(\"", text), f"{script.name}: name the sentence with w(…)"
            assert not re.search(r"[\u4e00-\u9fff]", re.sub(r"//.*|/\*.*?\*/|、", "", text)), script.name
