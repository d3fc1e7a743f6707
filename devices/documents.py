"""A PDF file as an order to print it: what a driver may not do, open a file, is done here."""

from __future__ import annotations

from pathlib import Path

from devices.roles import PrintDocument

MOST = 50_000_000  # bytes


class DocumentMistake(ValueError):
    """The file cannot be printed; the text says why."""


def document(path: Path, title: str = "", copies: int = 1) -> PrintDocument:
    """The order to print the PDF. Raises DocumentMistake, which does not name the file: it may name a person."""
    try:
        if path.stat().st_size > MOST:
            raise DocumentMistake(f"the document has more than {MOST // 1_000_000} MB; print it in parts")
        pdf = path.read_bytes()
    except OSError as trouble:
        raise DocumentMistake(f"the document cannot be read: {trouble.strerror}") from trouble
    if b"%PDF-" not in pdf[:1024]:
        raise DocumentMistake("the document is not a PDF")
    return PrintDocument(title=title or "document", pdf=pdf, copies=copies)


def trial_page() -> PrintDocument:
    """A sheet for trying a printer: a frame along the margins and one sentence."""
    drawing = (
        b"1 w 36 36 523 770 re S BT /F 18 Tf 72 720 Td (Bianmin trial page: the frame is whole, the page is A4.) Tj ET"
    )
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    pdf, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(pdf))
        pdf += b"%d 0 obj%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    pdf += b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(pdf),
    )
    return PrintDocument(title="Bianmin trial page", pdf=pdf)
