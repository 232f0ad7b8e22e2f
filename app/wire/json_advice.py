"""Advice on bodies that are not JSON: what was probably meant, and how to write it."""

from __future__ import annotations

import re

_FILE_NAME = re.compile(rb"\s*@?[\w./\\~-]+\.\w{1,12}\s*")
_WORDS = {
    b"True": "Write true in lower case; json.dumps of Python does.",
    b"False": "Write false in lower case; json.dumps of Python does.",
    b"None": "Leave the field out, or write null; json.dumps of Python does.",
    b"undefined": "Leave the field out.",
    b"'": "JSON has double quotes. json.dumps of Python writes them; in a shell, put single quotes around the whole body.",
    b"#": "JSON has no comments.",
    b"//": "JSON has no comments.",
    b"/*": "JSON has no comments.",
    b"+": "A number has no sign +.",
    b".": "A number has a digit before its point: 0.5.",
}
"""By what stands at the place of the error: the fix."""

_LAST_COMMA = re.compile(rb",\s*[}\]]")
_LAST_COMMA = re.compile(rb",\s*[}\]]")
_NAME = re.compile(rb"[A-Za-z_]\w*\s*:")
_SHOWN = 200
"""Bytes at the place of an error that are read."""


def advice(body: bytes, offset: int) -> str | None:
    """Return how to mend a body that cannot be parsed at this offset, or None where nothing is likely."""
    if len(body) <= _SHOWN and _FILE_NAME.fullmatch(body):
        name = body.strip().lstrip(b"@").decode()
        return f"The body is the name of a file. curl sends the file with --data-binary @{name}"
    here = body[offset : offset + _SHOWN].lstrip()
    before = body[max(offset - _SHOWN, 0) : offset].rstrip()
    if _LAST_COMMA.match(here) or (here[:1] in (b"}", b"]") and before.endswith(b",")):
        return "Leave out the comma after the last entry."
    if here[:1] == b"," and before.endswith(b","):
        return "One of the two commas is too many."
    if _NAME.match(here):
        return "Names stand in double quotes."
    for word, fix in _WORDS.items():
        if here.startswith(word):
            return fix
    if not here:
        return "The body ends too early: a bracket or a quote is not closed."
    return None
