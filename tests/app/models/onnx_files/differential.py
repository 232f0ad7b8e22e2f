"""Differential test of the import of ONNX files: random models against onnxruntime.

`python -m tests.app.models.onnx_files.differential 20000` (make soak) draws as many models, prints what became of them, and
ends with 1 if one was answered with wrong numbers or failed.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from app.models.formats.imported import ImportOptions
from app.models.formats.onnx import file as onnx_file
from app.models.formats.onnx.comparison import _output
from app.models.formats.onnx.importer import from_onnx
from core.arrays import Array
from core.errors import GraddError
from tests.app.models import onnx_here
from tests.app.models.onnx_files.drawing import draw_model

onnxruntime: Any = importlib.import_module("onnxruntime")  # It has no types.

SAME, WITHOUT_LOSS, REFUSED, GUARDED, WRONG, FAILED, LEFT_OUT = (
    "imported, with the right numbers",
    "imported without the loss at its end, with a warning",
    "refused with a reason",
    "refused because the numbers of a sample differ",
    "imported with other numbers",
    "failed",
    "left out: onnxruntime does not take the file",
)
MAY_BE = {"unsupported-operator", "invalid-request", "not-finite"}
"""Codes of refusals of files."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file, and the sentence that says more."""

    what: str
    why: str


def in_this_process(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """Let files be parsed in this process, without the child, so that thousands are read in minutes."""
    put(onnx_file, "_run_child", onnx_here.read_here)
    onnxruntime.set_default_logger_severity(4)


def by_onnxruntime(content: bytes, inputs: dict[str, Array]) -> Array:
    """What onnxruntime computes."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, inputs)
    return np.asarray(found)


def outcome_of(content: bytes, inputs: dict[str, Array], expected: Array | None = None) -> Outcome:
    """Import a file, and compare what the network computes with what is expected, by default of onnxruntime."""
    try:
        expected = by_onnxruntime(content, inputs) if expected is None else expected
    except Exception as error:
        return Outcome(LEFT_OUT, str(error)[:200])
    try:
        model = from_onnx(content, ImportOptions(), 10**6)
        if any(issue.code == "loss-left-out" for issue in model.warnings):
            return Outcome(WITHOUT_LOSS, "the network computes the scores")
        found = _output(model, {name: array for name, array in inputs.items() if name in _inputs_of(content)})
    except GraddError as error:
        (issue, *_) = error.issues
        if issue.code not in MAY_BE:
            return Outcome(FAILED, f"{issue.code}: {issue.detail}")
        return Outcome(GUARDED if "cannot be translated exactly" in issue.detail else REFUSED, issue.detail)
    except Exception as error:
        return Outcome(FAILED, repr(error))
    if found.shape != expected.shape:
        return Outcome(WRONG, f"shape {found.shape}, not {expected.shape}")
    expected = expected.astype(np.float64)
    finite = np.isfinite(expected)
    scale = max(1.0, float(np.abs(expected[finite]).max(initial=0)))
    same = np.isclose(found, expected, rtol=2e-3, atol=2e-4 * scale)
    if same[finite].all():
        return Outcome(SAME, ", ".join(issue.code for issue in model.warnings))
    return Outcome(WRONG, f"differs by {np.nanmax(np.abs(found - expected)):.2g}")


def _inputs_of(content: bytes) -> set[str]:
    """The inputs that the output of a file depends on."""
    graph = onnx.load_from_string(content).graph
    wanted = {value.name for value in graph.output}
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
    return wanted


def main(count: int, first: int) -> int:
    """Draw models, print a table of what became of them, and return the exit status."""
    in_this_process()
    found: Counter[str] = Counter()
    for seed in range(first, first + count):
        content, inputs, opset = draw_model(seed)
        outcome = outcome_of(content, inputs)
        found[outcome.what] += 1
        if outcome.what in (WRONG, FAILED, GUARDED):
            print(f"seed {seed}, operator set {opset}: {outcome.what}: {outcome.why}")
    for what, number in found.most_common():
        print(f"{number:7,} {what}")
    return int(bool(found[WRONG] + found[FAILED]))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
