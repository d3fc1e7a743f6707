"""Everybody can read it: contrast of every pair of colours in use, and fonts that have every character."""

import re

import pytest
from PIL import Image, ImageDraw, ImageFont

from config import look, words


@pytest.mark.parametrize(("text", "ground"), look.TEXT_ON)
def test_text_stands_out(text, ground):
    assert look.contrast(text, ground) >= 7


@pytest.mark.parametrize(("border", "ground"), look.BORDER_ON)
def test_borders_are_seen(border, ground):
    assert look.contrast(border, ground) >= 3


def test_every_colour_is_in_use():
    assert {name for pair in look.TEXT_ON + look.BORDER_ON for name in pair} == set(look.COLOURS)


def test_contrast_is_what_the_standard_says(  # WCAG 2.2: black on white is 21, a colour on itself 1
):
    assert look.contrast("white", "white") == 1
    assert look.contrast("ink", "white") == look.contrast("white", "ink")
    assert round(look.contrast("river", "white"), 2) == 8.31


def test_the_pages_get_the_same_tokens():
    css = look.css()
    for name, code in look.COLOURS.items():
        assert f"--{name}: {code};" in css
    assert '--font: "Noto Sans CJK SC", ' in css
    assert css.count("{") == css.count("}")
    assert re.search(r"prefers-reduced-motion: reduce\) \{\s*:root \{ --motion: 0ms", css)


def test_kivy_gets_the_same_tokens():
    assert look.rgba("white", 0.5) == (1, 1, 1, 0.5)
    assert look.rgb("ink") == (0x16, 0x20, 0x2A)


def test_no_size_is_too_small_to_read_or_touch():
    assert min(look.TYPE_MM.values()) >= 4.8
    assert look.BUTTON_MM >= 20
    assert look.BUTTON_ELDER_MM >= 25


def pixels(font: ImageFont.FreeTypeFont, character: str) -> bytes:
    image = Image.new("L", (64, 64))
    ImageDraw.Draw(image).text((8, 8), character, font=font, fill=255)
    return image.tobytes()


@pytest.mark.parametrize("weight", look.FONT_FILES)
def test_the_font_has_every_character_of_every_sentence(weight):
    """No box instead of a character: each is drawn and compared with the picture of a character nobody has."""
    font = ImageFont.truetype(look.FONT_FILES[weight], 40, index=look.FONT_FACE_SC)
    assert font.getname()[0] == look.FONTS[0]
    box = pixels(font, "\U0010ffff")
    written = "".join(text for po in words.catalogues() for text in words.messages(po).values())
    characters = set(written + "便民取号叫过挂起转移受理办结差评整改，。（）①㐂龘0123456789") - set(" \n\t")
    assert [c for c in sorted(characters) if pixels(font, c) == box] == []
