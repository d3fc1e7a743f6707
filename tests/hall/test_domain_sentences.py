"""Each refusal the rules know has a sentence, in both languages, with what it needs to be said."""

import re
import string
from pathlib import Path

from config.words import messages
from hall_api import sentences
from hall_api.domain.decide import RULES
from hall_api.domain.orders import Order
from hall_api.domain.refusal import Refusal
from hall_api.domain.states import STEPS

ROOM = Path(sentences.__file__).parent
CATALOGUE = messages(ROOM / "locale" / "zh_CN" / "LC_MESSAGES" / "bianmin.po")
SOURCES = "\n".join(p.read_text() for folder in ("domain", "storage", ".") for p in (ROOM / folder).glob("*.py"))


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_has_a_sentence():
    codes = set(re.findall(r'Refusal\(\s*"([a-z_]+)"', SOURCES))
    codes |= {f"cannot_{verb}" for verb in STEPS if verb != "expire"} | {"window_closed", "window_paused"}
    assert len(codes) > 40
    assert codes == set(sentences.SENTENCES)


def test_every_sentence_is_written_in_chinese_and_needs_the_same():
    for english in (*sentences.SENTENCES.values(), *sentences.STATES.values(), *sentences.TOLD):
        chinese = CATALOGUE[english]
        assert re.search("[\u4e00-\u9fff]", chinese), english
        assert fields(chinese) == fields(english)


def test_a_state_is_said_in_words():
    refusal = Refusal("cannot_recall", number="A001", state="held")
    assert sentences.say(refusal) == "A001 号已挂起，只有已呼叫的号才能重呼。"
    assert sentences.say(refusal, "en") == "Number A001 is put aside; only a called number can be called again."


def test_every_order_has_a_rule():
    def leaves(kind):
        below = kind.__subclasses__()
        return {leaf for sub in below for leaf in leaves(sub)} if below else {kind}

    assert set(RULES) == leaves(Order)
