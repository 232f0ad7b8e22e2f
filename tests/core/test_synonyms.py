"""Every synonym stands for something that exists, and names are read whatever their case."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from core import synonyms
from core.activations import FUNCTIONS
from core.convention import CONVENTIONS
from core.errors import did_you_mean, nearest
from core.layers import KINDS
from core.losses import LOSSES
from core.optimizers import OPTIMIZERS
from core.synonyms import synonym

TABLES = [
    (synonyms._LAYERS, KINDS),
    (synonyms._FUNCTIONS, FUNCTIONS),
    (synonyms._LOSSES, LOSSES),
    (synonyms._OPTIMIZERS, OPTIMIZERS),
    (synonyms._CONVENTIONS, CONVENTIONS),
]


@pytest.mark.parametrize(("table", "valid"), TABLES)
def test_every_synonym_stands_for_a_valid_name(table: dict[str, str], valid: Iterable[str]) -> None:
    assert {name: synonym(name, valid) for name in table} == table


@pytest.mark.parametrize(
    ("name", "valid", "meant"),
    [
        ("mse", LOSSES, "mean_squared_error"),
        ("MSELoss", LOSSES, "mean_squared_error"),
        ("BCEWithLogitsLoss", LOSSES, "sigmoid_cross_entropy"),
        ("logistic", LOSSES, "binary_cross_entropy"),
        ("logistic", FUNCTIONS, "sigmoid"),
        ("linear", FUNCTIONS, "identity"),
        ("Linear", KINDS, "dense"),
        ("Dense", KINDS, "dense"),
        ("Conv2d", KINDS, "conv2d"),
        ("MaxPool2D", KINDS, "max_pool2d"),
        ("LeakyReLU", FUNCTIONS, "leaky_relu"),
        ("Adam", OPTIMIZERS, "adam"),
        ("RMSProp", OPTIMIZERS, "rmsprop"),
        ("MATLAB", CONVENTIONS, "column"),
        ("scikit-learn", CONVENTIONS, "row"),
        ("batch", ["data", "batch_size"], "data"),
        ("tanhh", FUNCTIONS, "tanh"),
    ],
)
def test_a_name_from_elsewhere_finds_its_own(name: str, valid: Iterable[str], meant: str) -> None:
    assert nearest(name, valid) == meant
    assert did_you_mean(name, valid) == f"Did you mean {meant!r}?"


def test_an_unrelated_name_finds_none() -> None:
    assert nearest("zebra", LOSSES) is None
    assert nearest("", FUNCTIONS) is None
    assert nearest("…", FUNCTIONS) is None
