"""Conversion of a parsed document to plain values, with arrays as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from app.wire import base64_tensor, nested_lists
from app.wire.limits import COMPARISONS_LIMIT, DEPTH_LIMIT, NAME_LIMIT, DocumentLimits
from app.wire.tensor_fields import FieldNode
from core.errors import Issue, Refusal

BROKEN = np.zeros(())
"""Placeholder for a refused tensor, so that the rest of the request can still be validated."""


class JsonReader:
    """Reads one document. Errors are collected in `issues`; those after which reading is pointless are raised.

    simdjson's own conversion to lists and dictionaries is never used: it drops the first of two equal names, and it writes
    beyond the list if a list has 2²⁴ elements or more.
    """

    def __init__(self, limits: DocumentLimits, *, thorough: bool = False) -> None:
        """Create a reader.

        Args:
            limits: the limits of the document.
            thorough: whether to inspect every element of the tensors, which `nested_lists.to_array` does not do by itself.
        """
        self.issues: list[Issue] = []
        self.lists = 0
        """Number of lists read. If the text has more, a list is hidden among the numbers of a tensor."""

        self._limits = limits
        self._thorough = thorough
        self._elements_left = limits.elements
        self._values_left = limits.values
        self._comparisons_left = COMPARISONS_LIMIT
        self._path: list[str | int] = []

    def object(self, value: simdjson.Object, node: FieldNode | None) -> Any:
        """Read an object: named values, or a tensor in base64.

        Raises:
            Refusal: if there are too many values or names, or the nesting is too deep.
        """
        names = list(value)
        self._count(len(names))
        unique, letters = set(names), "".join(names)
        if len(unique) < len(names) or "\0" in letters or len(letters) > NAME_LIMIT:
            names = self._sound_names(names)
        self._comparisons_left -= len(names) ** 2
        if self._comparisons_left < 0:
            raise Refusal.of("too-large", "The objects of the request have too many names.", *self._path)
        if node is None:
            return {name: self._child(name, value[name], None) for name in names}
        if node.tensor and unique == base64_tensor.KEYS:
            return self._read_base64({name: self._child(name, value[name], None) for name in names})
        fields, others = node.fields, node.values
        return {name: self._child(name, value[name], fields.get(name, others)) for name in names}

    def _child(self, key: str | int, value: Any, node: FieldNode | None) -> Any:
        """Read a value one level down."""
        kind = type(value)
        if kind is not simdjson.Array and kind is not simdjson.Object:
            is_number = kind is float or kind is int
            return np.array(value, np.float64) if is_number and node and node.tensor and not node.number else value
        self._path.append(key)
        if len(self._path) > DEPTH_LIMIT:
            raise Refusal.of(
                "invalid-request", f"The request is nested more than {DEPTH_LIMIT} levels deep.", *self._path
            )
        if kind is simdjson.Object:
            result = self.object(value, node)
        else:
            result = self._tensor(value) if node and node.tensor else self._list(value, node)
        self._path.pop()
        return result

    def _list(self, value: simdjson.Array, node: FieldNode | None) -> list[Any]:
        self.lists += 1
        self._count(len(value))
        below = node and node.elements
        return [self._child(position, element, below) for position, element in enumerate(value)]

    def _tensor(self, value: simdjson.Array) -> NDArray[Any]:
        """Read a tensor from nested lists."""
        try:
            array = nested_lists.to_array(value, self._elements_left, thorough=self._thorough)
        except Refusal as refusal:
            return self._refuse_tensor(refusal)
        self.lists += nested_lists.lists_in(array.shape)
        self._elements_left -= array.size
        return array

    def _read_base64(self, value: dict[str, Any]) -> NDArray[Any]:
        """Read a tensor from an object in base64."""
        try:
            array = base64_tensor.from_base64(value, self._elements_left)
        except Refusal as refusal:
            return self._refuse_tensor(refusal)
        self._elements_left -= array.size
        return array

    def _refuse_tensor(self, refusal: Refusal) -> NDArray[Any]:
        self.issues += refusal.below(*self._path).issues
        return BROKEN

    def _count(self, values: int) -> None:
        self._values_left -= values
        if self._values_left < 0:
            detail = f"The request has more than {self._limits.values} values besides the elements of tensors."
            raise Refusal.of("too-large", detail, *self._path, expected=self._limits.values)

    def _sound_names(self, names: list[str]) -> list[str]:
        """Return the names that can be read, each once; the others are refused."""
        sound: dict[str, None] = {}
        for name in names:
            if len(name) > NAME_LIMIT:
                self._refuse(f"A name here has {len(name)} characters; at most {NAME_LIMIT} are allowed.")
            elif "\0" in name:  # The parser would look up the name that ends there.
                self._refuse("The name contains the character U+0000.", name)
            elif name in sound:
                self._refuse("The name occurs twice in its object.", name)
            else:
                sound[name] = None
        return list(sound)

    def _refuse(self, detail: str, *name: str) -> None:
        self.issues.append(Issue(code="invalid-request", detail=detail, path=(*self._path, *name)))
