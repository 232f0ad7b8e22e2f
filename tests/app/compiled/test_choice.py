"""The choice of an engine: what is compiled, what is not and why, and what is said where numba is missing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.compiled import jit
from app.compiled.choice import choose_engine, refuse_if_missing
from app.worker.environment import environment, gives_same_bits
from core.errors import Refusal
from core.layers.batch_norm import BatchNorm
from core.layers.dense import Dense
from core.losses.mean_absolute_error import MeanAbsoluteError
from core.losses.mean_squared_error import MeanSquaredError
from core.optimizers import Optimizer
from core.optimizers.base import GradientNoise
from core.optimizers.lion import Lion
from core.optimizers.sgd import Sgd
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import Recipe
from core.training.engine import PlannedSteps
from tests import ROOT
from tests.app.compiled.problems import needs_numba

PLAIN: dict[str, Any] = {
    "layers": [Dense(units=3, activation="tanh"), Dense(units=2)],
    "inputs": {"input": np.eye(4)},
    "targets": np.ones((4, 2)),
    "loss": MeanSquaredError(),
    "seed": 1,
}


def sent(**more: Any) -> Problem:
    return validate(ProblemSpec(**PLAIN | more))


def recipe(optimizer: Optimizer | None = None, **more: Any) -> Recipe:
    return Recipe(optimizer=optimizer or Sgd(), epochs=1, **more)


@needs_numba
@pytest.mark.parametrize(
    "problem, how, reason",
    [
        (
            sent(layers=[Dense(units=3), BatchNorm(), Dense(units=2)]),
            recipe(),
            "Layer '2' (batch_norm) is not compiled.",
        ),
        (
            sent(layers=[Dense(units=3, activation="gelu"), Dense(units=2)]),
            recipe(),
            "The activation gelu of layer '1' is not compiled.",
        ),
        (
            sent(loss=MeanAbsoluteError()),
            recipe(),
            "The loss mean_absolute_error of an output by identity is not compiled.",
        ),
        (sent(sample_weight=np.arange(4.0)), recipe(), "Different sample weights are not compiled."),
        (
            sent(layers=[Dense(units=2, name="a"), Dense(units=2, inputs=["input"])]),
            recipe(),
            "Layer '2' does not read the layer before it, and only chains are compiled.",
        ),
        (sent(), recipe(Lion()), "The optimizer lion is not compiled."),
        (sent(), recipe(freeze=("1.bias",)), "Frozen parameters are not compiled."),
        (sent(), recipe(Sgd(gradient_noise=GradientNoise(eta=0.1, seed=1))), "Gradient noise is not compiled."),
    ],
)
def test_what_is_not_compiled_is_trained_by_numpy_and_says_why(
    problem: Problem, how: Recipe, reason: str, tmp_path: Path
) -> None:
    choice = choose_engine("compiled", problem, how, tmp_path)
    assert choice.factory is PlannedSteps
    assert choice.recorded == {"name": "numpy", "reason": reason}


def test_numpy_is_the_default(tmp_path: Path) -> None:
    choice = choose_engine("numpy", sent(), recipe(), tmp_path)
    assert choice.factory is PlannedSteps
    assert choice.recorded == {"name": "numpy"}


@needs_numba
def test_a_compiled_job_names_the_compiler_and_the_processor(tmp_path: Path) -> None:
    recorded = choose_engine("compiled", sent(), recipe(), tmp_path).recorded
    assert recorded == {"name": "compiled", "numba": jit.version(), "processor": jit.processor()}


def test_another_engine_or_version_is_another_environment() -> None:
    numpy, reasoned = environment({"name": "numpy"}), environment({"name": "numpy", "reason": "A reason."})
    compiled, newer = ({"name": "compiled", "numba": version} for version in ("1", "2"))
    assert gives_same_bits(numpy, reasoned)
    assert not gives_same_bits(numpy, environment(compiled))
    assert not gives_same_bits(environment(compiled), environment(newer))
    earlier = {name: value for name, value in numpy.items() if name != "engine"}
    assert gives_same_bits(earlier, numpy), "a job of an earlier version was trained by NumPy"


@pytest.mark.skipif(jit.is_installed(), reason="numba is installed")
def test_a_missing_compiler_is_refused_with_what_to_install() -> None:
    with pytest.raises(Refusal) as refused:
        refuse_if_missing("compiled")
    assert "pip install 'gradd[fast]'" in (refused.value.issues[0].hint or "")


@needs_numba
def test_what_is_compiled_is_kept_where_others_cannot_write(tmp_path: Path) -> None:
    """Each in a process of its own, since a process decides once."""
    program = (
        "import sys; from pathlib import Path; from app.compiled import jit; print(jit.keep_in(Path(sys.argv[1])));"
        "from app.compiled.kernels import activate; import numpy as np; activate(1, 0.0, np.ones(3), 0, 3)"
    )
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (tmp_path / "file").touch()
    for folder, kept in ((tmp_path / "own", True), (shared, False), (tmp_path / "file" / "below", False)):
        told = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder)],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=told | {"PYTHONPATH": str(ROOT)},
        )
        assert done.stdout.strip() == str(kept)
        assert any(folder.rglob("*.nbc")) is kept if folder.parent.is_dir() else not kept
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o700
