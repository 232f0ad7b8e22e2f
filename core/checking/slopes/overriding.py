"""A function, layer or loss with one of its rules replaced, as an object of the same class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

Kind = TypeVar("Kind")


def overriding(instance: Kind, **rules: Callable[..., Any]) -> Kind:
    """Return a copy of a dataclass instance whose methods of these names are replaced; each is passed the copy itself."""
    kind = type(instance)
    changed = type(kind.__name__, (kind,), {"__slots__": (), "__module__": kind.__module__, **rules})
    values = {each.name: getattr(instance, each.name) for each in fields(instance)}  # type: ignore[arg-type]
    found: Kind = changed(**values)
    return found
