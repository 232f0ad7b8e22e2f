"""Spec: a frozen dataclass that is also its own wire format.

The core does not import pydantic, but pydantic reads dataclasses: `field(metadata=...)` holds its constraints, and the
docstring under a field is the field's description in the schema. `constraints` builds the metadata from checked keyword
arguments, because pydantic ignores a misspelt key.
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
    """Return the metadata of a field. `strict` refuses "3" and true for a number; `choices` publishes an enum.

    A field that subclasses inherit passes its `description` here, because pydantic finds docstrings under fields only in
    the class whose schema it builds.
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
    """Annotation that makes a number inside a list strict."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), "strict": True}


WholeNumber = Annotated[int, _Strict()]
"""Element of a list of integers: refuses "3", true and 3.0."""

Number = Annotated[float, _Strict()]
"""Element of a list of numbers: refuses "3" and true."""


class Published:
    """Annotation that publishes keywords of JSON Schema; the core itself refuses values that do not fit them."""

    def __init__(self, **keywords: Any) -> None:
        self.keywords = keywords

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return {**handler(schema), **self.keywords}


class Choices:
    """Annotation that publishes the valid values of a string; the core itself refuses others."""

    def __init__(self, values: Iterable[str]) -> None:
        self.values = list(values)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return {**handler(schema), "enum": self.values}


def _publish(schema: dict[str, Any], kind: type[Any]) -> None:
    """Complete the schema of a spec.

    `kind` is required: it has a default in Python, but on the wire it selects the type. `inputs` of a layer has as many names
    as it reads tensors.
    """
    fields = schema.get("properties", {})
    if "kind" in fields:
        schema["required"] = ["kind", *(name for name in schema.get("required", []) if name != "kind")]
    if "inputs" in fields and hasattr(kind, "reads"):
        for names in fields["inputs"]["anyOf"]:
            if names["type"] == "array":
                names["minItems"], names["maxItems"] = kind.reads


class Spec:
    """Base of all specs: unknown fields, NaN and infinity are refused; docstrings are descriptions."""

    __slots__ = ()
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {
        "allow_inf_nan": False,
        "extra": "forbid",
        "json_schema_extra": _publish,
        "use_attribute_docstrings": True,
    }
