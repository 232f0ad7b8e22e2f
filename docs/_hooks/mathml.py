"""A hook of MkDocs: formulas between dollar signs become MathML, so that a page needs no script and no font."""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert

CODE = re.compile(r"(^```.*?^```$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
INLINE = re.compile(r"(?<![\\$])\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\d)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The text of a page with its formulas converted; code stays as it is."""
    return "".join(part if part.startswith("`") else converted(part) for part in CODE.split(markdown))


def converted(text: str) -> str:
    """A text without code, its formulas as MathML."""
    text = DISPLAY.sub(lambda found: convert(found[1], display="block"), text)
    return INLINE.sub(lambda found: convert(found[1]), text)
