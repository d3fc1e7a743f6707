"""The look of every surface as one small picture: rounded corners, border, ground and shadow, stretched in its middle.

One picture drawn once is what makes pages slide smoothly without a graphics card; three smooth shapes one upon
another, as the library would have it, take ten times as long there.
"""

from functools import lru_cache

from kivy.graphics.texture import Texture
from PIL import Image, ImageDraw

from config import look

FINER = 4  # drawn so many times larger, then reduced: the corners are smooth
SHADOW = 0.16


@lru_cache(maxsize=64)
def skin(fill, border, radius, thick, drop, pressed=False):
    """(texture, margins) of a surface; sizes in dots. Margins (bottom, right, top, left) are not stretched."""
    edge = int(radius) + 2
    wide, high = 2 * edge + 2, 2 * edge + 2 + drop
    picture = Image.new("RGBA", (wide * FINER, high * FINER), (*look.rgb("ink"), 0))
    pen = ImageDraw.Draw(picture)
    right, bottom = wide * FINER - 1, (high - drop) * FINER - 1
    if drop and not pressed:
        shadow = (*look.rgb("ink"), round(255 * SHADOW))
        pen.rounded_rectangle((0, drop * FINER, right, high * FINER - 1), radius * FINER, fill=shadow)
    pen.rounded_rectangle((0, 0, right, bottom), radius * FINER, fill=(*look.rgb(border), 255))
    inner, inside = thick * FINER, max(radius - thick, 1) * FINER
    ground = tuple(round(part * (0.82 if pressed else 1)) for part in look.rgb(fill))
    pen.rounded_rectangle((inner, inner, right - inner, bottom - inner), inside, fill=(*ground, 255))
    small = picture.resize((wide, high), Image.Resampling.BOX).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    texture = Texture.create(size=small.size, colorfmt="rgba")
    texture.blit_buffer(small.tobytes(), colorfmt="rgba", bufferfmt="ubyte")
    return texture, (edge + drop, edge, edge, edge)
