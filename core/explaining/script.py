"""The program: the numbers of the request, the lines of all steps, and a print of the results. It needs only NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.arrays import Array
from core.equations.symbols import Symbol
from core.explaining.step import Step

LARGEST = 20_000
"""A program holds at most this many numbers; with more it reads them from the request."""


def program(steps: Sequence[Step], data: Sequence[Symbol]) -> str:
    """Return the NumPy program that computes every result of the derivation and prints the loss and the gradients."""
    lines = ["import math", "", "import numpy as np", ""]
    used = {symbol.source: symbol for step in steps for symbol in step.operands.values()}
    given = [symbol for symbol in data if symbol.source in used]
    if sum(symbol.value.size for symbol in given) > LARGEST:
        lines += ["import json", "", 'request = json.load(open("request.json"))  # The request to /v1/explain.', ""]
        lines += [f"{symbol.python} = np.array({_path(symbol.source)})" for symbol in given]
    else:
        lines += [f"{symbol.python} = {literal(symbol.value)}" for symbol in given]
    lines.append("")
    for step in steps:
        lines += [f"# {step.title}: {step.id}", step.numpy]
    lines.append("")
    shown = [step for step in steps if step.id == "loss" or _is_gradient(step)]
    lines += [f"print({step.id + ' ='!r}, {step.result.python}, sep='\\n')" for step in shown]
    return "\n".join(lines) + "\n"


def _is_gradient(step: Step) -> bool:
    """Return True if a step defines the gradient of a parameter, l2 included."""
    return step.id.startswith("gradients.") and not step.id.endswith(".data")


def literal(array: Array) -> str:
    """Return an array as NumPy code that reproduces it bit for bit."""
    kind = "" if array.dtype == np.float64 else f", np.{array.dtype.name}"
    return f"np.array({array.tolist()!r}{kind})"


def _path(source: str) -> str:
    keys = source.split(".")
    if keys[0] in ("parameters", "state", "reported"):
        keys = [keys[0], ".".join(keys[1:-1]), keys[-1]]
    return "request" + "".join(f"[{key!r}]" for key in keys)
