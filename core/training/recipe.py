"""The recipe of a training run: everything except the network, the data and the initial state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.arrays import Array
from core.optimizers import Optimizer


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Ends training once the loss has stopped falling; the parameters of the best epoch are the result.

    The loss is the validation loss, or the training loss if no examples are held back.
    """

    patience: int
    """Epochs without a new best after which training ends."""

    min_delta: float = 0.0
    """A loss is a new best if it is lower than the best one by more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The settings that, with the problem and the initial state, determine every bit of a training run."""

    optimizer: Optimizer
    epochs: int
    """Number of epochs, counted from the beginning: a run that resumes after epoch 3 trains `epochs` - 3 more."""

    batch_size: int = 32
    """Examples in a step; the last step of an epoch may have fewer."""

    shuffle: bool = True
    seed: int = 0
    """Seed of the held-back examples and, with the number of the epoch, of the order of the others."""

    validation_fraction: float = 0.0
    """Share of the examples that are held back."""

    early_stopping: EarlyStopping | None = None
    freeze: tuple[str, ...] = ()
    """Parameters that are not trained, such as "1.bias"."""

    rates: Mapping[str, Mapping[str, Array]] | None = None
    """Learning rates for single weights, by layer and name."""
