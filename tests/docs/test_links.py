"""Every relative link in the Markdown of the project leads to a file, and its anchor to a heading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import ROOT

PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("openapi/*.md"), *ROOT.glob("examples/**/*.md")]
)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`|\$\$.*?\$\$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def links(page: Path) -> list[str]:
    """The targets of a page's links and pictures, those in code left out."""
    text = page.read_text(encoding="utf-8").replace("[`", "[").replace("`]", "]")
    return LINK.findall(CODE.sub("", text))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.relative_to(ROOT)} links to {link}, and there is no such file"
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), f"{page.relative_to(ROOT)} links to {link}, and there is no such heading"


def test_links_are_found() -> None:
    readme = links(ROOT / "README.md")
    assert {"docs/images/train.svg", "docs/reference/layers.md", "#your-convention", "SECURITY.md"} <= set(readme)


def test_pages_of_the_site_link_to_pages_of_the_site() -> None:
    for page in ROOT.glob("docs/**/*.md"):
        for link in links(page):
            if not re.match(r"[a-z]+:|#", link):
                assert (page.parent / link.partition("#")[0]).resolve().is_relative_to(ROOT / "docs"), (page, link)


def test_paths_that_pages_name_exist() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *ROOT.glob("docs/**/*.md")]
    for page in pages:
        named = re.findall(r"`((?:app|core|tests|docs|examples|openapi)/[\w./-]*)`", page.read_text(encoding="utf-8"))
        for path in named:
            assert (ROOT / path).exists(), f"{page.name} names {path}"


def test_pictures_load_nothing() -> None:
    for picture in ROOT.glob("docs/images/*.svg"):
        text = picture.read_text(encoding="utf-8")
        assert not re.search(r"(?:href|src)\s*=|url\(['\"]?https?:|@import|<script", text.replace("url(#", "")), picture
