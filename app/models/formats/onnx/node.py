"""OnnxNode: a node of an ONNX graph, whose attributes are checked for their type and range where they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

D = TypeVar("D")


class Untranslatable(Exception):
    """A node has no corresponding layer; the message says why."""


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """A node of an ONNX graph."""

    name: str
    operator: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, Any]

    def describe(self) -> str:
        """Return the operator and name of the node, for messages."""
        return f"{self.operator[:60]} ({(self.name or self.outputs[0])[:60]!r})"

    def integer(self, name: str, default: D, *, least: int | None = None) -> int | D:
        """Return an attribute that is an integer.

        Raises:
            Untranslatable: if it is something else, or below the least value.
        """
        value = self.attributes.get(name, default)
        if name not in self.attributes:
            return default
        if type(value) is not int:
            raise self._wrong(name, "an integer")
        if least is not None and value < least:
            raise Untranslatable(f"its {name} is {value}; the least that makes sense is {least}")
        return value

    def number(self, name: str, default: float) -> float:
        """Return an attribute that is a finite number.

        Raises:
            Untranslatable: if it is something else.
        """
        value = self.attributes.get(name, default)
        if type(value) not in (int, float) or not math.isfinite(value):
            raise self._wrong(name, "a finite number")
        return float(value)

    def text(self, name: str, default: str) -> str:
        """Return an attribute that is a text.

        Raises:
            Untranslatable: if it is something else.
        """
        value = self.attributes.get(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def integers(self, name: str, default: D) -> list[int] | D:
        """Return an attribute that is a list of integers.

        Raises:
            Untranslatable: if it is something else.
        """
        if name not in self.attributes:
            return default
        value = self.attributes[name]
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            raise self._wrong(name, "a list of integers")
        return list(value)

    def require(self, name: str, default: Any, *allowed: Any) -> None:
        """Refuse an attribute value that has no equivalent in a layer.

        Raises:
            Untranslatable: if it is none of those allowed.
        """
        value = self.attributes.get(name, default)
        if not any(type(value) is type(one) and value == one for one in allowed):
            choices = " or ".join(map(str, allowed))
            raise Untranslatable(f"its {name} is {str(value)[:40]}; only {choices} is supported")

    def _wrong(self, name: str, expected: str) -> Untranslatable:
        return Untranslatable(f"its {name} is {str(self.attributes.get(name))[:40]}, not {expected}")
