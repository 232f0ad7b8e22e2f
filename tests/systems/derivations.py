"""The pages of docs/derivations: requests to /v1/explain, and their answers as Markdown.

`make derivations` writes them; a test compares them with what the service answers.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import numpy as np

from examples.server import running_server
from tests import ROOT
from tests.golden.cases import CASES, request_of

FOLDER = ROOT / "docs" / "derivations"


def _documented(number: int) -> dict[str, Any]:
    """The request of docs/systems.md for a system."""
    text = (FOLDER.parent / "systems.md").read_text(encoding="utf-8")
    match = re.search(rf"^## S{number} .*?```json\n(.*?)\n```", text, re.M | re.S)
    assert match
    found: dict[str, Any] = json.loads(match[1])
    return {name: value for name, value in found.items() if name not in ("include", "verify", "style")}


def _mazur() -> dict[str, Any]:
    """Mazur's network as the golden file has it."""
    case = next(case for name, case in CASES.items() if "mazur" in name and case.get("network"))
    return {name: value for name, value in request_of(case).items() if name not in ("include", "verify")}


def pages() -> dict[str, tuple[str, dict[str, Any]]]:
    """By file name: what stands above the derivation, and the request."""
    images = np.round(np.random.default_rng(14).random((1, 1, 8, 8)), 2).tolist()
    zhang = _documented(14) | {"batch": {"inputs": images, "targets": [[1, 0]]}}
    return {
        "s01-raja": ("S1: Sudeep Raja, A Derivation of Backpropagation in Matrix Form (2016).", _documented(1)),
        "s05-nielsen": ("S5: Michael Nielsen, Neural Networks and Deep Learning, ch. 2: BP1 to BP4.", _documented(5)),
        "s09-classifier": (
            "S9: every derivative of the two-layer classifier, each factor in a step.",
            _documented(9) | {"style": {"notation": "factors"}},
        ),
        "s13-batch-norm": ("S13: batch normalisation; all five published forms of the backward pass.", _documented(13)),
        "s14-zhang": ("S14: Zhifei Zhang, convolution, pooling and the column scan, on a smaller image.", zhang),
        "mazur": (
            "Matt Mazur's step by step example, with the numbers that it prints. Where the source is wrong: the error that "
            "it prints after the update, 0.291027924, follows only where the hidden delta goes through the weights of the "
            "output layer after they were updated; ∂E/∂w of the first layer, as it prints it and as it stands here, uses the "
            "old ones.",
            _mazur() | {"style": {"notation": "factors", "digits": 9}},
        ),
    }


def written(client: httpx.Client, title: str, request: dict[str, Any]) -> str:
    """One page."""
    response = client.post("/v1/explain", json=request, headers={"Accept": "text/markdown"})
    response.raise_for_status()
    body = json.dumps({name: value for name, value in request.items()})
    return f"{title}\n\nPOST /v1/explain\n\n```json\n{body}\n```\n\n{response.text}"


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    with running_server() as url, httpx.Client(base_url=url, timeout=60) as client:
        for name, (title, request) in pages().items():
            (FOLDER / f"{name}.md").write_text(written(client, title, request), encoding="utf-8")


if __name__ == "__main__":
    main()
