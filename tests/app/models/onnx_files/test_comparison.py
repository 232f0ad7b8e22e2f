"""A network that computes other numbers than its file is refused, whatever the translation believes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from app.models.formats.imported import Imported, ImportOptions
from app.models.formats.onnx.comparison import compare_with_sample
from app.models.formats.onnx.file import OnnxGraph, read
from app.models.formats.onnx.importer import from_onnx
from core.errors import Refusal
from tests.app.models.onnx_files.sample import model_of, nodes_of, normal

CONTENT = model_of(
    nodes_of([("MatMul", "x fc.weight", "h"), ("Tanh", "h", "y")]), {"fc.weight": normal(3, 4)}, {"x": ["n", 3]}
)


@pytest.fixture(scope="module")
def pair() -> tuple[Imported, OnnxGraph]:
    return from_onnx(CONTENT, ImportOptions(), 1000), read(CONTENT, 1000, {}, ())


def test_the_right_network_is_taken_as_it_is(pair: tuple[Imported, OnnxGraph]) -> None:
    assert compare_with_sample(*pair) is pair[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda weight: weight + 0.01, "numbers that differ by up to"),
        (lambda weight: weight[:, ::-1].copy(), "numbers that differ by up to"),
    ],
)
def test_other_numbers_are_refused(
    pair: tuple[Imported, OnnxGraph], change: Callable[[np.ndarray], np.ndarray], reason: str
) -> None:
    imported, graph = pair
    wrong = replace(imported, parameters={"fc": {"weight": change(np.asarray(imported.parameters["fc"]["weight"]))}})
    with pytest.raises(Refusal, match=reason) as refused:
        compare_with_sample(wrong, graph)
    assert refused.value.issues[0].code == "unsupported-operator"


def test_without_a_sample_the_answer_says_so(pair: tuple[Imported, OnnxGraph]) -> None:
    imported, graph = pair
    found = compare_with_sample(imported, replace(graph, sample=None, unsampled="it takes 1e+12 multiplications"))
    assert [issue.code for issue in found.warnings] == ["not-compared"]
