"""State of a training run between two steps, complete enough to resume it, as tensors and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.arrays import Array
from core.layers import Layer
from core.model import Model
from core.training.stepper import OptimizerState

Arrays = Mapping[str, Mapping[str, Array]]


@dataclass(frozen=True, slots=True)
class Best:
    """The best epoch so far."""

    epoch: int
    loss: float
    waited: int = 0
    """Number of epochs since then."""

    parameters: Arrays = field(default_factory=dict)
    state: Arrays = field(default_factory=dict)
    """Parameters and state of that epoch; kept only for early stopping, which returns them."""


@dataclass(frozen=True, slots=True)
class BegunEpoch:
    """The first steps of an epoch that has not ended."""

    losses: Array
    """The loss of each step, float64."""

    outputs: Array
    """The outputs of their examples, from which the metrics of the epoch are computed; empty if it has none."""


@dataclass(frozen=True, slots=True)
class TrainingState:
    """The state of a run after some epochs, or some steps later. Arrays are batch-first, weights in x out."""

    epoch: int
    """Number of finished epochs."""

    parameters: Arrays
    state: Arrays
    """The state of the layers between batches."""

    optimizer: OptimizerState
    best: Best | None = None
    begun: BegunEpoch | None = None
    """The steps since the last finished epoch; None between two epochs."""

    def tensors(self) -> dict[str, Array]:
        """Return all arrays by a dotted path; with `notes` they are the complete state, bit for bit."""
        best = self.best
        groups: dict[str, Arrays] = {"parameters": self.parameters, "state": self.state}
        groups |= {f"slots.{name}": slot for name, slot in self.optimizer.slots.items()}
        groups |= {"best.parameters": best.parameters, "best.state": best.state} if best else {}
        begun = {"begun.losses": self.begun.losses, "begun.outputs": self.begun.outputs} if self.begun else {}
        return begun | {
            f"{group}.{layer}.{name}": array
            for group, arrays in groups.items()
            for layer, named in arrays.items()
            for name, array in named.items()
        }

    def notes(self) -> dict[str, Any]:
        """Return the rest of the state as JSON; its numbers are read back exactly."""
        best = self.best
        return {
            "epoch": self.epoch,
            "step": self.optimizer.step,
            "slots": list(self.optimizer.slots),
            "scalars": {name: float(value) for name, value in self.optimizer.scalars.items()},
            "best": best and {"epoch": best.epoch, "loss": best.loss, "waited": best.waited},
        }

    @classmethod
    def restore(cls, tensors: Mapping[str, Array], notes: Mapping[str, Any]) -> TrainingState:
        """Return the state whose `tensors` and `notes` these are."""
        slots = {name: _group(tensors, f"slots.{name}") for name in notes["slots"]}
        best = None
        if notes["best"]:
            best = Best(
                **notes["best"], parameters=_group(tensors, "best.parameters"), state=_group(tensors, "best.state")
            )
        has_begun = "begun.losses" in tensors
        return cls(
            begun=BegunEpoch(tensors["begun.losses"], tensors["begun.outputs"]) if has_begun else None,
            epoch=notes["epoch"],
            parameters=_group(tensors, "parameters"),
            state=_group(tensors, "state"),
            optimizer=OptimizerState(notes["step"], slots, dict(notes["scalars"])),
            best=best,
        )


def _group(tensors: Mapping[str, Array], group: str) -> dict[str, dict[str, Array]]:
    """Return the tensors below a path. The name of a layer may contain dots, that of a parameter may not."""
    found: dict[str, dict[str, Array]] = {}
    for path, array in tensors.items():
        if path.startswith(f"{group}."):
            layer, _, name = path[len(group) + 1 :].rpartition(".")
            found.setdefault(layer, {})[name] = array
    return found


def result_of(state: TrainingState) -> tuple[Arrays, Arrays]:
    """Return parameters and layer state as the result of a run that ends here: the best epoch's with early stopping."""
    if state.best and state.best.parameters:
        return state.best.parameters, state.best.state
    return state.parameters, state.state


def epoch_of_result(state: TrainingState) -> int:
    """Return the epoch whose parameters `result_of` returns."""
    return state.best.epoch if state.best and state.best.parameters else state.epoch


def model_of(layers: Sequence[Layer], parameters: Arrays, state: Arrays) -> Model:
    """Return a model of the layers with the parameters and state of a run."""
    filled = ({layer: dict(named) for layer, named in arrays.items() if named} for arrays in (parameters, state))
    return Model(list(layers), *filled)
