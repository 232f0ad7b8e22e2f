"""The choice of the engine of a run, and the words by which a job records it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from app.compiled import jit
from app.compiled.chain import Chain
from app.compiled.rule import Rule
from app.compiled.unsupported import Unsupported
from core.errors import Refusal
from core.problem import Problem
from core.training import Recipe
from core.training.engine import EngineFactory, PlannedSteps

Wanted = Literal["numpy", "compiled"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine of a run."""

    factory: EngineFactory
    recorded: dict[str, Any]
    """Its name; when compiled, numba's version and the processor; otherwise the reason where it was wanted."""


def refuse_if_missing(wanted: Wanted) -> None:
    """Refuse the compiled engine where numba is not installed.

    Raises:
        Refusal: `unsupported-operator`.
    """
    if wanted == "compiled" and not jit.is_installed():
        detail = "GRADD_JOB_ENGINE is compiled, and numba is not installed."
        raise Refusal.of("unsupported-operator", detail, hint=jit.INSTALL)


def choose_engine(wanted: Wanted, problem: Problem, recipe: Recipe, data_dir: Path) -> Choice:
    """Return the engine that trains a problem: the wanted one, or NumPy's where the problem is not compiled.

    Args:
        wanted: the engine of the settings.
        problem: the network and all examples.
        recipe: the settings of the run.
        data_dir: folder of the service's data, in which the results of the compiler are kept.

    Raises:
        Refusal: if the compiled engine is wanted and not installed.
    """
    if wanted == "numpy":
        return Choice(PlannedSteps, {"name": "numpy"})
    refuse_if_missing(wanted)
    try:
        chain, rule = Chain.of(problem), Rule.of(recipe)
    except Unsupported as reason:
        return Choice(PlannedSteps, {"name": "numpy", "reason": str(reason)})
    jit.keep_in(data_dir / "compiled")
    # Here, because numba is imported with it, which takes half a second and is an extra.
    from app.compiled.engine import CompiledSteps

    factory = partial(CompiledSteps, chain, rule, problem, recipe)
    return Choice(factory, {"name": "compiled", "numba": jit.version(), "processor": jit.processor()})
