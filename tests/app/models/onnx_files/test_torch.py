"""Files that torch exports: outputs and the gradients of all parameters are torch's.

Those in tests/app/models/files/torch are read anywhere; where torch is installed, all of its exports are.
"""

from __future__ import annotations

import importlib.util
from itertools import combinations

import numpy as np
import pytest

from app.models.formats.imported import ImportOptions
from app.models.formats.onnx.importer import from_onnx
from core.arrays import Array
from core.losses.upstream import Upstream
from core.network import INPUT
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.app.models.onnx_files.torch_models import FOLDER, WAYS, WRITTEN
from tests.gradient import solved

pytestmark = pytest.mark.slow

NAMES = (*WRITTEN, "lstm_state", "both_ways_every", "gru", "gru_both_ways", "upsampling")


FOLDED = ("one.", "two.", "norms.", "across.")
"""Parameters of torch's that an exporter folds into others: convolutions with the batch norms behind them."""


def assert_as_torch(content: bytes, arrays: dict[str, Array], folded: tuple[str, ...] = ()) -> None:
    """Output and gradients are those of torch, in whatever order of axes and gates."""
    model = from_onnx(content, ImportOptions(), 10**7)
    assert [issue.code for issue in model.warnings] in ([], ["assumed-batch"])
    spec = ProblemSpec(
        layers=model.layers,
        inputs={INPUT: arrays["X"].astype(np.float64)},
        parameters={
            layer: {name: array.astype(np.float64) for name, array in found.items()}
            for layer, found in model.parameters.items()
        },
        state=model.state,
        loss=Upstream(),
        upstream=arrays["dZ"].astype(np.float64),
        convention="row",
    )
    found = solved(validate(spec))
    np.testing.assert_allclose(found.output, arrays["Z"], rtol=1e-4, atol=1e-5)
    theirs = {name.removeprefix("d ") for name in arrays if name.startswith("d ")}
    for layer, parameters in model.parameters.items():
        for name, ours in parameters.items():
            if ours.size == 1 and layer.startswith("add"):
                continue  # The 1 in the formula of GELU, which this exporter writes out.
            if folded and f"{layer}.".startswith(folded):
                continue
            theirs -= assert_gradient(ours, found.gradients.gradients[layer][name], arrays, f"{layer}.{name}")
    theirs = {name for name in theirs if not folded or not name.startswith(folded)}
    assert not theirs, f"no parameter here stands for {theirs}"


def assert_gradient(ours: Array, gradient: Array, arrays: dict[str, Array], where: str) -> set[str]:
    """A parameter stands for those of torch that have its numbers in some order; the gradients have the same order."""
    order, used = np.argsort(ours.reshape(-1)), set[str]()
    values, slopes = ours.reshape(-1)[order], gradient.reshape(-1)[order]
    candidates: dict[tuple[str, ...], Array] = {(name,): arrays[name] for name in arrays if f"d {name}" in arrays}
    # The two biases of a gate are added to one.
    one = [name for name in arrays if f"d {name}" in arrays and arrays[name].ndim == 1]
    candidates |= {(a, b): arrays[a] + arrays[b] for a, b in combinations(one, 2) if arrays[a].shape == arrays[b].shape}
    for names, value in candidates.items():
        for part, slope in parts_of(value, arrays[f"d {names[0]}"], ours.size):
            by = np.argsort(part)
            if np.allclose(part[by], values, rtol=1e-6, atol=1e-7):
                np.testing.assert_allclose(slopes, slope[by], rtol=2e-3, atol=2e-5, err_msg=where)
                used.update(names)
    assert used, f"{where} stands for no parameter of torch"
    return used


def parts_of(value: Array, gradient: Array, size: int) -> list[tuple[Array, Array]]:
    """A parameter whole, or in equal blocks of rows as big as `size`: query, key and value are three."""
    value, gradient = value.reshape(-1), gradient.reshape(-1)
    if not size or value.size % size:
        return []
    return list(zip(value.reshape(-1, size), gradient.reshape(-1, size), strict=True))


@pytest.mark.parametrize("name", WRITTEN)
def test_a_committed_file_has_the_gradients_of_torch(name: str) -> None:
    assert_as_torch((FOLDER / f"{name}.onnx").read_bytes(), dict(np.load(FOLDER / f"{name}.npz")))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is no dependency; with it, it exports here"
)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_exports_have_the_gradients_of_torch(name: str, way: str) -> None:
    from tests.app.models.onnx_files.torch_models import exported

    try:
        content, arrays = exported(name, way)
    except TypeError as error:
        pytest.skip(f"this exporter of torch fails: {error}"[:120])
    assert_as_torch(content, arrays, FOLDED if name == "residual" and way.startswith("dynamo") else ())
