"""AS-13 on every page: sizes in millimetres, room for every word, a glyph for every character, in both languages."""

import struct

import pytest

from config import look, words
from devices.vision import flaws
from kiosk.ui.fonts import CAP_HEIGHT

# What scratch.py can show without touching; the list is asked for there, so that it is written once.
SCREENS = {
    "21.5 inches upright": (False, (268, 476), []),
    "21.5 inches wide": (True, (476, 268), []),
    "27 inches wide": (True, (597, 336), []),
    "21.5 inches upright, low reach": (False, (268, 476), ["--low"]),
}


@pytest.fixture(scope="module", params=SCREENS, ids=lambda name: name.replace(" ", "-"))
def terminal(request, upright, wide, tmp_path_factory):
    landscape, mm, low = SCREENS[request.param]
    size, screen = ((1920, 1080), wide) if landscape else ((1080, 1920), upright)
    one = request.getfixturevalue("kiosk_class")(
        screen, tmp_path_factory.mktemp("pages") / "state", size, mm, ["--still", *low]
    )
    one.dots, one.state = size[0] / mm[0], one.errors.with_name("state")
    one.page("attract")
    one.quiet(1.5)  # the pages are made
    yield one
    one.close()


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
def test_every_page(terminal, scratch_visits, elder, language):
    wrong = []
    for visit in scratch_visits:
        terminal.tell(visit=visit, elder=elder, language=language)
        shown = terminal.answer("audit")
        assert (shown["page"], shown["elder"], shown["language"]) == (visit.split("-")[0], elder, language)
        wrong += [f"{visit}: {line}" for line in faults(shown, terminal.dots, terminal.size, elder)]
    assert not wrong, "\n".join(wrong)


def test_every_flaw_is_said_with_the_page_and_asked_about(terminal):
    for flaw in (*flaws.WORDS, "whole_picture"):
        terminal.tell(visit=f"scan-{flaw}")
        shown = terminal.answer("audit")
        assert {"scan.retake", "scan.keep", "scan.copy"} <= {button["name"] for button in shown["widgets"]}, flaw
        assert any("第2页" in text["raw"] and text["colour"] == "amber" for text in shown["texts"]), flaw


def faults(shown, dots, size, elder):
    """Everything on one page that is too small, too near, cut off, outside, or written on the wrong ground."""
    least_mm, capital_mm = (25, 7.3) if elder else (20, 4.8)
    buttons = shown["widgets"]
    for button in buttons:
        x, y, width, height = button["rect"]
        if min(width, height) / dots < least_mm:
            yield f"{button['name']} is {width / dots:.1f} × {height / dots:.1f} mm"
        if x < 0 or y < 0 or x + width > size[0] or y + height > size[1]:
            yield f"{button['name']} is outside the screen: {button['rect']}"
    for number, one in enumerate(buttons):
        for other in buttons[number + 1 :]:
            if (apart := distance(one["rect"], other["rect"]) / dots) < 3:
                yield f"{one['name']} and {other['name']} are {apart:.2f} mm apart"
    for text in shown["texts"]:
        x, y, width, height = text["rect"]
        if text["picture"][0] > width + 1 or text["picture"][1] > height + 1:
            yield f"{text['raw']!r} is cut: {text['picture']} in {text['rect']}"
        if x < 0 or y < 0 or x + width > size[0] + 1 or y + height > size[1] + 1:
            yield f"{text['raw']!r} is outside the screen: {text['rect']}"
        if text["inside"] and not within(text["rect"], text["inside"]):
            yield f"{text['raw']!r} {text['rect']} looks out of {text['inside']}"
        if text["size"] * CAP_HEIGHT / dots < capital_mm - 0.005:
            yield f"{text['raw']!r} has capitals of {text['size'] * CAP_HEIGHT / dots:.2f} mm"
        if text["enabled"] and (text["colour"], text["ground"]) not in look.TEXT_ON:
            yield f"{text['raw']!r} is {text['colour']} on {text['ground']}"
    for code in shown["codes"]:
        if min(code["rect"][2:]) / dots < 30:
            yield f"the code is {code['rect'][2] / dots:.0f} mm"
    if not any(b["name"] == "bar.help" for b in buttons) and not shown["warning"]:
        yield "there is no help button"


def distance(one, other):
    across = max(other[0] - one[0] - one[2], one[0] - other[0] - other[2])
    down = max(other[1] - one[1] - one[3], one[1] - other[1] - other[3])
    return max(across, down)


def within(inner, outer):
    return (
        inner[0] >= outer[0] - 1
        and inner[1] >= outer[1] - 1
        and inner[0] + inner[2] <= outer[0] + outer[2] + 1
        and inner[1] + inner[3] <= outer[1] + outer[3] + 1
    )


def characters(font):
    """The characters a font has glyphs for (OpenType specification, "cmap", format 12)."""
    data = font.read_bytes()
    tables = {}
    for number in range(struct.unpack_from(">H", data, 4)[0]):
        tag, _, offset, _ = struct.unpack_from(">4sIII", data, 12 + 16 * number)
        tables[tag] = offset
    start, found = tables[b"cmap"], set()
    for number in range(struct.unpack_from(">H", data, start + 2)[0]):
        _, _, offset = struct.unpack_from(">HHI", data, start + 4 + 8 * number)
        if struct.unpack_from(">H", data, start + offset)[0] == 12:
            for group in range(struct.unpack_from(">I", data, start + offset + 12)[0]):
                first, last, _ = struct.unpack_from(">III", data, start + offset + 16 + 12 * group)
                found.update(range(first, last + 1))
    return found


def test_every_character_of_both_languages_has_a_glyph(terminal):
    po = [path for path in words.catalogues() if path.parts[-5] == "kiosk" or "kiosk" in path.parts]
    assert {path.parent.parent.name for path in po} == {"zh_CN", "en"}
    needed = {c for path in po for pair in words.messages(path).items() for c in "".join(pair)}
    for name in ("han-sc.otf", "han-strong-sc.otf"):
        has = characters(terminal.state / "fonts" / name)
        assert len(has) > 20000
        assert {c for c in needed if ord(c) not in has} == set()


def test_every_sentence_is_translated():
    po = next(path for path in words.catalogues() if "kiosk" in path.parts and "zh_CN" in path.parts)
    assert [id for id, text in words.messages(po).items() if not text] == []
