"""Field nodes: the values that the annotations of a model allow at each point of a document, above all tensors.

Everything is derived from the model, so a new request model needs no registration. Members of a union are merged: a
name is looked up in all of them, and pydantic decides later which one applies.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, RootModel
from typing_extensions import TypeAliasType, is_typeddict

from app.wire.tensor import TensorMark
from core.errors import Path


def members_of(annotation: Any) -> Iterator[Any]:
    """Yield the plain types of an annotation, resolving aliases, `Annotated` and unions."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, TypeAliasType):
        yield from members_of(annotation.__value__)
    elif origin is Annotated:
        if any(isinstance(mark, TensorMark) for mark in arguments[1:]):
            yield TensorMark
        else:
            yield from members_of(arguments[0])
    elif origin in (Union, types.UnionType):
        for argument in arguments:
            yield from members_of(argument)
    elif isinstance(annotation, type) and issubclass(annotation, RootModel):
        yield from members_of(annotation.model_fields["root"].annotation)
    else:
        yield annotation


@cache
def fields_of(member: type) -> Mapping[str, Any]:
    """Return the name on the wire and the annotation of every field of a model, dataclass or typed dictionary."""
    if isinstance(member, type) and issubclass(member, BaseModel):
        return {field.alias or name: field.annotation for name, field in member.model_fields.items()}
    if dataclasses.is_dataclass(member):
        hints = get_type_hints(member, include_extras=True)
        return {field.name: hints[field.name] for field in dataclasses.fields(member) if field.init}
    if is_typeddict(member):
        return get_type_hints(member, include_extras=True)
    return {}


class FieldNode:
    """The values allowed at one point of a document. Children are created when they are first accessed."""

    def __init__(self, members: tuple[Any, ...]) -> None:
        self.members = members
        self.tensor = TensorMark in members
        self.number = float in members or int in members
        if self.tensor and self._arguments(Iterable, but=Mapping):
            raise TypeError(f"a list could be a tensor or a list at a place of {members}")

    def _arguments(self, kind: type, but: type | None = None) -> list[Any]:
        """Return the type arguments of generic members of this kind; for mappings, only the last argument."""
        found: list[Any] = []
        for member in self.members:
            origin = get_origin(member)
            if isinstance(origin, type) and issubclass(origin, kind) and not (but and issubclass(origin, but)):
                found += get_args(member)[-1:] if kind is Mapping else get_args(member)
        return found

    @cached_property
    def values(self) -> FieldNode | None:
        """The node of the values of a map."""
        return _place(self._arguments(Mapping))

    @cached_property
    def elements(self) -> FieldNode | None:
        """The node of the elements of a list."""
        return _place(self._arguments(Iterable, but=Mapping))

    @cached_property
    def fields(self) -> Mapping[str, FieldNode | None]:
        """The nodes of the fields by name; None for fields that only hold scalars."""
        annotations: dict[str, list[Any]] = {}
        for member in self.members:
            for name, annotation in _fields(member):
                annotations.setdefault(name, []).append(annotation)
        return {name: _place(several) for name, several in annotations.items()}

    @cached_property
    def holds_tensors(self) -> bool:
        """Whether a tensor may occur here or anywhere below."""
        seen: list[FieldNode] = []
        waiting: list[FieldNode | None] = [self]
        while waiting:
            node = waiting.pop()
            if node is None or node in seen:
                continue
            if node.tensor:
                return True
            seen.append(node)
            waiting += [node.values, node.elements, *node.fields.values()]
        return False

    def narrowed(self, value: object) -> FieldNode:
        """Return the node without models whose literal fields, such as `kind`, do not match the value."""
        if not isinstance(value, dict):
            return self
        members = tuple(member for member in self.members if _agrees(member, value))
        return _place(members) or self


def _fields(member: Any) -> Iterable[tuple[str, Any]]:
    return fields_of(member).items() if isinstance(member, type) else ()


def _agrees(member: Any, value: dict[str, Any]) -> bool:
    """Return whether the literal fields of a model match the value."""
    for name, annotation in _fields(member):
        literals = tuple(members_of(annotation))
        if name in value and all(get_origin(literal) is Literal for literal in literals):
            choices = [choice for literal in literals for choice in get_args(literal)]
            if value[name] not in choices:
                return False
    return True


def names_at(node: FieldNode | None, path: Path, document: Any) -> list[str]:
    """Return the names of the valid fields of an object in a document, as the values there choose its model."""
    node, value = _node_at(node, path, document)
    return list(node.narrowed(value).fields) if node else []


def places_of(node: FieldNode | None, path: Path, document: Any, name: str) -> list[str]:
    """Return the fields of an object in a document whose own objects have a field of that name."""
    node, value = _node_at(node, path, document)
    inner = node.narrowed(value).fields.items() if node else ()
    return [field for field, child in inner if child is not None and name in child.narrowed({}).fields]


def kinds_at(node: FieldNode | None, path: Path, document: Any) -> list[str]:
    """Return the values of `kind` that choose among the models of a place in a document; [] where it chooses nothing."""
    node, _ = _node_at(node, path, document)
    annotations = [dict(_fields(member)).get("kind") for member in node.members] if node else []
    literals = [literal for annotation in annotations for literal in members_of(annotation)]
    return [choice for literal in literals if get_origin(literal) is Literal for choice in get_args(literal)]


def _node_at(node: FieldNode | None, path: Path, document: Any) -> tuple[FieldNode | None, Any]:
    """Return the node of a place in a document, and the value there."""
    value = document
    for entry in path:
        if node is None:
            return None, None
        node = node.narrowed(value)
        value = value[entry]
        node = node.elements if isinstance(entry, int) else node.fields.get(entry, node.values)
    return node, value


_made: dict[tuple[int, ...], FieldNode] = {}


def _place(annotations: Iterable[Any]) -> FieldNode | None:
    """Return the node of these annotations, None if they only allow scalars.

    There is one node for each set of members. Members are compared by identity, because annotations live as long as their
    classes; this also ends the recursion of a model that contains itself.
    """
    members = tuple(member for annotation in annotations for member in members_of(annotation))
    if not any(member is TensorMark or isinstance(get_origin(member), type) or _fields(member) for member in members):
        return None
    key = tuple(sorted({id(member) for member in members}))
    if key not in _made:
        _made[key] = FieldNode(members)
    return _made[key]


@cache
def field_tree(model: type[BaseModel]) -> FieldNode:
    """Return the node of a whole document."""
    return FieldNode((model,))
