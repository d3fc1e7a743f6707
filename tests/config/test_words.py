"""Sentences are found in their language, fall back to English, and are compiled only when they changed."""

import os
import string
from gettext import GNUTranslations

import pytest

from config import words

PO = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"

msgid "Call next"
msgstr "叫号"

msgid "Not translated"
msgstr ""
"""


@pytest.fixture
def po(tmp_path):
    folder = tmp_path / "locale/zh_CN/LC_MESSAGES"
    folder.mkdir(parents=True)
    file = folder / "bianmin.po"
    file.write_text(PO, encoding="utf-8")
    return file


def test_a_catalogue_is_compiled_and_speaks(po):
    assert words.compile_all([po]) == [po.with_suffix(".mo")]
    with po.with_suffix(".mo").open("rb") as file:
        catalogue = GNUTranslations(file)
    assert catalogue.gettext("Call next") == "叫号"
    assert catalogue.gettext("Not translated") == "Not translated"


def test_only_what_changed_is_compiled_again(po):
    words.compile_all([po])
    assert words.compile_all([po]) == []
    later = po.with_suffix(".mo").stat().st_mtime + 5
    os.utime(po, (later, later))
    assert words.compile_all([po]) == [po.with_suffix(".mo")]


def test_a_room_without_a_catalogue_speaks_english():
    assert words.translator("config")("Call next") == "Call next"
    assert words.translator("config")("") == ""


def test_a_room_that_is_not_there_is_a_mistake():
    with pytest.raises(ValueError, match="there is no room called 'cellar'"):
        words.translator("cellar")


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_chinese_sentence_is_there_and_keeps_its_blanks():
    """First language: nothing is left in English, and the {blanks} of a sentence are the same in both."""
    for po in words.catalogues():
        sentences = words.messages(po)
        if po.parents[1].name == words.FIRST:
            assert [message for message, text in sentences.items() if not text] == [], po
        assert [m for m, text in sentences.items() if text and names_in(m) != names_in(text)] == [], po
