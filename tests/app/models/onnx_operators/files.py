"""Files of single operators, and what the imported network makes of them beside onnx's own evaluator."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.reference import ReferenceEvaluator

from app.models.formats.imported import Imported, ImportOptions
from app.models.formats.onnx.comparison import _output
from app.models.formats.onnx.importer import from_onnx
from core.arrays import Array
from core.errors import Refusal
from tests.app.models.onnx_files.sample import model_of, nodes_of


def imported(content: bytes, output: str | None = None) -> Imported:
    return from_onnx(content, ImportOptions(outputs=() if output is None else (output,)), 10**7)


def kinds(content: bytes) -> list[str]:
    """The kinds of the layers that a file becomes, in order."""
    return [layer.kind for layer in imported(content).layers]


def assert_same(content: bytes, inputs: dict[str, Array], tolerance: float = 1e-12) -> Imported:
    """The network computes what onnx's evaluator does, for inputs that the import has not seen."""
    network = imported(content)
    (expected,) = ReferenceEvaluator(onnx.load_from_string(content)).run(None, inputs)
    np.testing.assert_allclose(_output(network, inputs), np.asarray(expected), rtol=tolerance, atol=tolerance)
    return network


def file_of(written: list[Any], constants: dict[str, Array], inputs: dict[str, Array], **more: Any) -> bytes:
    """A file whose number of examples is open."""
    shapes = {name: ["n", *array.shape[1:]] for name, array in inputs.items()}
    dtype = next(iter(inputs.values())).dtype.type
    return model_of(nodes_of(written), constants, shapes, dtype, **more)


def refusal_of(content: bytes) -> str:
    """Why a file is refused."""
    try:
        found = imported(content)
    except Refusal as refusal:
        return " ".join(issue.detail for issue in refusal.issues)
    raise AssertionError(f"it became {[layer.kind for layer in found.layers]}")


@cache
def _every_case() -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Making them overflows small types.
        return [case for case in collect_testcases(None) if case.model is not None]


def node_tests(*operators: str, tensors: int = 1) -> Iterator[tuple[str, bytes, dict[str, Array], list[Array]]]:
    """The ONNX project's own tests of operators; the first inputs stay, the others become constants of the file."""
    for case in _every_case():
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in operators:
            model, (inputs, expected) = onnx.ModelProto(), case.data_sets[0]
            model.CopyFrom(case.model)
            names = [value.name for value in model.graph.input]
            if any(not isinstance(array, np.ndarray) for array in [*inputs, *expected]) or not inputs[0].size:
                continue  # Sequences, and batches without a number, which the service does not take.
            for name, array in zip(names[tensors:], inputs[tensors:], strict=False):
                model.graph.initializer.append(numpy_helper.from_array(array, name))
            del model.graph.input[tensors:]
            yield case.name, model.SerializeToString(), dict(zip(names[:tensors], inputs, strict=False)), list(expected)


def outcomes(*operators: str, tensors: int = 1) -> tuple[list[str], dict[str, str]]:
    """The node tests whose numbers come out right, and why the others are refused.

    Raises:
        AssertionError: if a number is wrong, or is only noticed when the network is compared with the file.
    """
    right, refused = list[str](), dict[str, str]()
    for name, content, inputs, expected in node_tests(*operators, tensors=tensors):
        try:
            network = imported(content)
        except Refusal as refusal:
            refused[name] = " ".join(issue.detail for issue in refusal.issues)
            assert "cannot be translated exactly" not in refused[name], (name, refused[name])
            continue
        close = 2e-3 if expected[0].dtype.itemsize < 4 else 1e-5
        np.testing.assert_allclose(
            _output(network, inputs), expected[0].astype(float), rtol=close, atol=close, err_msg=name
        )
        right.append(name)
    return right, refused
