"""Spec: a frozen dataclass that is also its own wire format.

The core does not know pydantic; pydantic knows dataclasses. `field(metadata=...)` may hold the constraints that
pydantic understands, and a docstring under a field becomes its description in the schema. `limits` gives the
metadata keys names that are checked, because pydantic ignores a misspelt one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar


def constraints(
    *,
    strict: bool = True,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    discriminator: str | None = None,
    choices: list[str] | None = None,
    examples: list[Any] | None = None,
    description: str | None = None,
) -> dict[str, Any]:
    """Metadata of a field. `strict` refuses "3" and true where a number is asked for; `choices` publishes an enum.

    A field that subclasses inherit says its `description` here, because docstrings under fields are only found in the
    class that a schema is made for.
    """
    metadata: dict[str, Any] = {
        "strict": strict or None,
        "gt": gt,
        "ge": ge,
        "lt": lt,
        "le": le,
        "min_length": min_length,
        "max_length": max_length,
        "pattern": pattern,
        "discriminator": discriminator,
        "examples": examples,
        "description": description,
        "json_schema_extra": {"enum": choices} if choices else None,
    }
    return {name: value for name, value in metadata.items() if value is not None}


class _Strict:
    """Marks a number inside a list as strict, in the way that pydantic asks an annotation for its schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), "strict": True}


WholeNumber = Annotated[int, _Strict()]
"""An element of a list of integers: neither "3" nor true nor 3.0."""


class Choices:
    """Publishes the valid values of a string; the core refuses others with words of its own."""

    def __init__(self, values: Iterable[str]) -> None:
        self.values = list(values)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return {**handler(schema), "enum": self.values}


def _publish(schema: dict[str, Any]) -> None:
    """`kind` has a default for Python callers; on the wire it chooses the type, so it is required."""
    if "kind" in schema.get("properties", {}):
        schema["required"] = ["kind", *(name for name in schema.get("required", []) if name != "kind")]


class Spec:
    """Base of all specs: unknown fields, NaN and infinity are refused; docstrings are descriptions."""

    __slots__ = ()
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {
        "allow_inf_nan": False,
        "extra": "forbid",
        "json_schema_extra": _publish,
        "use_attribute_docstrings": True,
    }
