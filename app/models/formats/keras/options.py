"""The options of a Keras layer, read with their types: a file may hold anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.models.formats.keras.builder import Untranslatable
from app.models.formats.keras.graph import KerasNode

FUNCTIONS: dict[str, str | dict[str, Any]] = {
    "linear": "identity", "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "softmax": "softmax", "elu": "elu",
    "selu": "selu", "gelu": "gelu", "silu": "silu", "swish": "silu", "softplus": "softplus", "softsign": "softsign",
    "exponential": "exp", "log_softmax": "log_softmax", "leaky_relu": {"function": "leaky_relu", "negative_slope": 0.2},
}  # fmt: skip
"""The activation functions of Keras by name, with the constants that they have there by default."""

OVER_FEATURES = ("softmax", "log_softmax")


def whole(node: KerasNode, name: str, least: int = 1) -> int:
    """Return an option that is a whole number."""
    value = node.config.get(name)
    if type(value) is not int or value < least:
        raise Untranslatable(f"its {name} is {str(value)[:40]}")
    return value


def number(node: KerasNode, name: str, default: float) -> float:
    """Return an option that is a number."""
    value = node.config.get(name, default)
    value = default if value is None else value
    if type(value) not in (int, float):
        raise Untranslatable(f"its {name} is {str(value)[:40]}")
    return float(value)


def flag(node: KerasNode, name: str, default: bool) -> bool:
    """Return an option that is true or false."""
    value = node.config.get(name, default)
    if type(value) is not bool:
        raise Untranslatable(f"its {name} is {str(value)[:40]}")
    return value


def sides(node: KerasNode, name: str, rank: int) -> list[int]:
    """Return an option that has one whole number for each axis."""
    value = node.config.get(name, 1)
    values = [value] * rank if type(value) is int else value
    if not isinstance(values, list) or len(values) != rank or any(type(n) is not int or n < 1 for n in values):
        raise Untranslatable(f"its {name} is {str(value)[:40]}")
    return values


def refuse_unless(node: KerasNode, **wanted: Any) -> None:
    """Refuse a layer with an option that has another value than the only one that has a counterpart here."""
    for name, value in wanted.items():
        got = node.config.get(name, value)
        if got != value:
            raise Untranslatable(f"its {name} is {str(got)[:40]}; only {value} has a counterpart")


def is_first(node: KerasNode) -> bool:
    """Return whether the layer reads channels first in Keras, too."""
    form = node.config.get("data_format") or "channels_last"
    if form not in ("channels_last", "channels_first"):
        raise Untranslatable(f"its data_format is {str(form)[:40]}")
    return bool(form == "channels_first")


def function_of(node: KerasNode, name: str = "activation") -> str | dict[str, Any]:
    """Return an activation function: its name, or an object with its constants."""
    value = node.config.get(name)
    if isinstance(value, Mapping):
        is_function = value.get("class_name") == "function" and value.get("registered_name") in (
            None,
            value.get("config"),
        )
        value = value.get("config") if is_function else value.get("class_name")
        if not is_function:
            raise Untranslatable(f"its {name} is the object {str(value)[:40]}; make it a layer of its own")
    value = "linear" if value is None else value
    if not isinstance(value, str) or value not in FUNCTIONS:
        raise Untranslatable(f"its {name} is {str(value)[:40]!r}, which has no counterpart")
    return FUNCTIONS[value]
