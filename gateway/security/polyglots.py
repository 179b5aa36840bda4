"""Files that are two things at once: a picture or recording that another program would take for something it runs."""

from __future__ import annotations

import re
from typing import Final

#: Where the end of a ZIP's directory may lie: before its comment, whose length is 16 bits (APPNOTE 4.3.16).
_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_BYTES: Final = 22
_ZIP_TAIL: Final = _ZIP_END_BYTES + 0xFFFF
#: Readers look for these further in than the first byte: PDF's in the first kilobyte, self-extractors in a megabyte.
_PDF: Final = (b"%PDF-", 1024)
_ARCHIVES: Final = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
_ARCHIVES_WITHIN: Final = 1 << 20
#: What a browser that sniffs takes for a page; it looks at 1,445 bytes (mimesniff.spec.whatwg.org).
_PAGE: Final = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|iframe|svg|xsl)[\s>/]", re.IGNORECASE)
_PAGE_WITHIN: Final = 2048


def second_nature(data: bytes) -> str | None:
    """What else the file is, for a sentence ("a ZIP archive"), or None."""
    if _is_zip(data):
        return "a ZIP archive"
    if _PDF[0] in data[: _PDF[1]]:
        return "a PDF"
    if any(mark in data[:_ARCHIVES_WITHIN] for mark in _ARCHIVES):
        return "an archive"
    return "a web page" if _PAGE.search(data[:_PAGE_WITHIN]) else None


def _is_zip(data: bytes) -> bool:
    """Whether a ZIP reader would find its directory: by its mark, with a comment that ends within the file."""
    tail = data[-_ZIP_TAIL:]
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        comment = int.from_bytes(tail[at + 20 : at + _ZIP_END_BYTES], "little")
        if at + _ZIP_END_BYTES + comment <= len(tail):
            return True
        at = tail.rfind(_ZIP_END, 0, at)
    return False
