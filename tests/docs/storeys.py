"""Draws docs/images/storeys.svg from the import contracts in pyproject.toml (make reference)."""

from __future__ import annotations

import tomllib
from html import escape
from xml.etree import ElementTree

from tests import ROOT

FILE = ROOT / "docs" / "images" / "storeys.svg"
WIDTH, ROW, GAP, MARGIN = 380, 30, 8, 16
STYLE = (
    "text{font:14px ui-sans-serif,system-ui,sans-serif;fill:#1f2937}.head{font-weight:600}"
    ".app{fill:#dbeafe;stroke:#3b82f6}.core{fill:#dcfce7;stroke:#16a34a}.sheet{fill:#fff}"
)


def storeys(package: str) -> list[list[str]]:
    """The storeys of a package from the top down; names in one storey do not import each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract.get("containers") == [package]:
            return [storey.split(" | ") for storey in contract["layers"]]
    raise LookupError(f"pyproject.toml has no contract of storeys for {package}")


def svg() -> str:
    """The picture: app at the left, core at the right, the top storey first."""
    columns = {package: storeys(package) for package in ("app", "core")}
    height = 2 * MARGIN + 30 + max(map(len, columns.values())) * (ROW + GAP)
    width = 3 * MARGIN + 2 * WIDTH
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        "<title>The storeys of app and core: a package imports only what stands below it</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="sheet" width="{width}" height="{height}"/>',
    ]
    notes = {"app": "app: HTTP, storage, jobs", "core": "core: the mathematics, NumPy alone"}
    for position, (package, rows) in enumerate(columns.items()):
        x = MARGIN + position * (WIDTH + MARGIN)
        lines.append(f'<text class="head" x="{x}" y="{MARGIN + 14}">{escape(notes[package])}</text>')
        for index, names in enumerate(rows):
            y = MARGIN + 30 + index * (ROW + GAP)
            lines.append(f'<rect class="{package}" x="{x}" y="{y}" width="{WIDTH}" height="{ROW}" rx="5"/>')
            text = escape("   ·   ".join(names))
            lines.append(f'<text x="{x + WIDTH / 2:g}" y="{y + 20}" text-anchor="middle">{text}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def drawn() -> list[str]:
    """The names in the committed picture."""
    root = ElementTree.fromstring(FILE.read_text(encoding="utf-8"))
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    return [name.strip() for text in texts for name in text.split("·")]
