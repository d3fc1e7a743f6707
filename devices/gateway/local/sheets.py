"""What a page wants printed, as a PDF on A4: a PDF as it is, or a picture (JPEG, PNG) as large as the sheet allows."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from devices.documents import MOST

DOTS_PER_INCH = 200
SHEET, MARGIN = (1654, 2339), 79  # A4 and its margin of 10 mm, in dots
MOST_PIXELS = 60_000_000
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class SheetMistake(ValueError):
    """It cannot be printed; the text is a message id."""


def as_pdf(data: bytes) -> bytes:
    """The document to print. Raises SheetMistake. Takes its time over large pictures: call it in a thread."""
    if len(data) > MOST:
        raise SheetMistake("The document is too large; print it in parts.")
    if b"%PDF-" in data[:1024]:
        return data
    if not data.startswith(PICTURES):
        raise SheetMistake("The document is neither a PDF nor a JPEG or PNG picture.")
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise SheetMistake("The document is too large; print it in parts.")
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except Image.DecompressionBombError as wrong:
        raise SheetMistake("The document is too large; print it in parts.") from wrong
    except SheetMistake:
        raise
    except (OSError, SyntaxError, ValueError) as wrong:  # Pillow's words for damaged files
        raise SheetMistake("The picture is damaged.") from wrong
    across = upright.width > upright.height
    sheet = Image.new("RGB", SHEET[::-1] if across else SHEET, "white")
    fitted = ImageOps.contain(upright, (sheet.width - 2 * MARGIN, sheet.height - 2 * MARGIN))
    sheet.paste(fitted, ((sheet.width - fitted.width) // 2, (sheet.height - fitted.height) // 2), fitted)
    out = io.BytesIO()
    sheet.save(out, "PDF", resolution=DOTS_PER_INCH)
    return out.getvalue()
