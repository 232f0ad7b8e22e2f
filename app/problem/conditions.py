"""Conditions that published schemas state beside their tables of fields: which field another one requires or excludes.

They stand under `if` and `then`, which generators of clients pass over. Beside `properties`, the same generators take
`anyOf` and `allOf` for the whole type, and leave its fields out.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

Condition = dict[str, Any]


def given(*fields: str) -> Condition:
    """Return the condition that each of the fields is sent, and is not null."""
    return {"required": [*fields], "properties": {field: {"not": {"type": "null"}} for field in fields}}


def absent(field: str) -> Condition:
    """Return the condition that a field is left out or null."""
    return {"not": given(field)}


def either(*conditions: Condition) -> Condition:
    """Return the condition that at least one of the conditions is met."""
    return {"anyOf": [*conditions]}


def every(*conditions: Condition) -> Condition:
    """Return the condition that all the conditions are met."""
    return {"allOf": [*conditions]}


def states(*conditions: Condition) -> ConfigDict:
    """Return the configuration of a model whose schema states the conditions."""
    return ConfigDict(json_schema_extra={"if": {"type": "object"}, "then": every(*conditions)})


HAS_NETWORK = either(given("network"), given("model"))
HAS_LOSS = given("loss")
NO_FEEDBACK = absent("feedback")
