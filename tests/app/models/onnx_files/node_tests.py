"""ONNX's own tests of nodes: `python -m tests.app.models.onnx_files.node_tests` counts what becomes of them.

Each is imported and compared with the outputs that ONNX states for the inputs that it states.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections import Counter
from typing import Any

import onnx

from tests.app.models.onnx_files.differential import FAILED, GUARDED, WRONG, in_this_process, outcome_of


def array_of(entry: Any) -> Any:
    """Tensors as arrays: those in types that NumPy lacks are stated as in files."""
    return onnx.numpy_helper.to_array(entry) if isinstance(entry, onnx.TensorProto) else entry


def main() -> int:
    """Print a table of what became of the tests, and return the exit status."""
    warnings.filterwarnings("ignore")
    in_this_process()
    cases: Any = importlib.import_module("onnx.backend.test.case.node")
    found: Counter[str] = Counter()
    for case in cases.collect_testcases(None):
        if case.model is None or not case.data_sets:
            continue
        names = [value.name for value in case.model.graph.input]
        reads, makes = ([array_of(entry) for entry in entries] for entries in case.data_sets[0])
        outcome = outcome_of(case.model.SerializeToString(), dict(zip(names, reads, strict=False)), makes[0])
        found[outcome.what] += 1
        if outcome.what in (WRONG, FAILED, GUARDED):
            print(f"{case.name}: {outcome.what}: {outcome.why}")
    for what, number in found.most_common():
        print(f"{number:7,} {what}")
    return int(bool(found[WRONG] + found[FAILED]))


if __name__ == "__main__":
    sys.exit(main())
