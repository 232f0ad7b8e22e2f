"""How a network is trained: everything besides the network, the data and where training starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.arrays import Array
from core.optimizers import Optimizer


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Ends training once the loss has not fallen for a while; the best epoch's parameters are the result.

    It looks at the validation loss, and at the training loss where no examples were held back.
    """

    patience: int
    """Epochs without a new best after which training ends."""

    min_delta: float = 0.0
    """A loss is a new best where it is lower than the best one by more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What decides every bit of a training run, together with the problem and the state at its start."""

    optimizer: Optimizer
    epochs: int
    """Epochs from the very beginning: a run that starts after epoch 3 does `epochs` - 3 more."""

    batch_size: int = 32
    """Examples in a step; the last step of an epoch may have fewer."""

    shuffle: bool = True
    seed: int = 0
    """Draws the examples that are held back and, together with the number of the epoch, the order of the others."""

    validation_fraction: float = 0.0
    """Share of the examples that are held back."""

    early_stopping: EarlyStopping | None = None
    freeze: tuple[str, ...] = ()
    """Parameters that stay as they are: "1.bias"."""

    rates: Mapping[str, Mapping[str, Array]] | None = None
    """Learning rates for single weights, by layer and name."""
