"""The key of a document's form: everything of it but the elements of its tensors, as bytes.

Two documents of one model with the same key differ in the elements of their tensors alone, and in the way they are written.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from app.wire import base64_tensor
from app.wire.limits import DEFAULT_LIMITS, DEPTH_LIMIT, NAME_LIMIT, RANK_LIMIT
from app.wire.tensor_fields import FieldNode
from core.errors import Refusal

SMALL = 2**14
"""Number of bytes up to which orjson's lists are faster than simdjson's proxies."""

_NUMBERS = {int, float}
_LONG_NAME = re.compile(rb'"[^"]{%d,}":' % (NAME_LIMIT + 1))


class _NoKey(Exception):
    """The document has no key, or can only be read thoroughly."""


def key_of(values: dict[str, Any], node: FieldNode) -> bytes | None:
    """Return the key of a document whose tensors are arrays; None if it has none."""
    try:
        return orjson.dumps(_Walk().skeleton(values, node))
    except (_NoKey, orjson.JSONEncodeError):
        return None


def read_small(body: bytes, node: FieldNode) -> tuple[dict[str, Any], bytes] | None:
    """Return the values of a small document, as `decode.read_values` does, and its key.

    Returns:
        None if the document is not small or not plain: then only thorough reading tells what is wrong with it, if anything.
    """
    if len(body) > SMALL or b"\\" in body:
        return None
    walk = _Walk()
    try:
        values = orjson.loads(body)
        if type(values) is not dict:
            return None
        key = orjson.dumps(walk.skeleton(values, node))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, _NoKey, Refusal):
        return None
    # orjson keeps the last of two equal names. Every member has a colon, also where it has been dropped.
    if body.count(b":") != key.count(b":") + walk.encoded * len(base64_tensor.KEYS):
        return None
    if _LONG_NAME.search(key) or (
        key.count(b"{") + key.count(b"[") > DEPTH_LIMIT and _is_deep(values, DEPTH_LIMIT // 2)
    ):
        return None
    return values, key


def _is_deep(value: Any, levels: int) -> bool:
    """Return whether objects and lists are nested more than so many levels deep."""
    if not isinstance(value, (dict, list)):
        return False
    below = value.values() if isinstance(value, dict) else value
    return not levels or any(_is_deep(each, levels - 1) for each in below)


class _Walk:
    """A walk through a document along the fields of its model."""

    def __init__(self) -> None:
        self.encoded = 0
        """Number of tensors in base64."""

    def skeleton(self, values: dict[str, Any], node: FieldNode) -> dict[str, Any]:
        """Return the document with the type and shape of each tensor in its place. Lists and base64 become arrays."""
        fields, others = node.fields, node.values
        skeleton = {}
        for name, value in values.items():
            below = fields.get(name, others)
            kind = type(value)
            if below is None or not below.holds_tensors or value is None:
                skeleton[name] = value
            elif kind is dict and not (below.tensor and value.keys() == base64_tensor.KEYS):
                skeleton[name] = self.skeleton(value, below)
            else:
                array = values[name] = value if kind is np.ndarray else self._tensor(value, kind, below)
                skeleton[name] = array.dtype.char, array.shape
        return skeleton

    def _tensor(self, value: Any, kind: type, node: FieldNode) -> NDArray[Any]:
        if not node.tensor or kind not in (list, dict):  # A list of objects with tensors, a number, or a mistake.
            raise _NoKey
        if kind is list:
            return _from_lists(value)
        self.encoded += 1
        return base64_tensor.from_base64(value, DEFAULT_LIMITS.elements)


def _from_lists(value: list[Any]) -> NDArray[np.float64]:
    """Return the tensor that nested lists of numbers represent."""
    try:
        array = np.array(value, np.float64)
    except (ValueError, TypeError):  # The rows have different lengths, or an element is no number.
        raise _NoKey from None
    elements: Any = value
    for _ in range(array.ndim - 1):
        elements = chain.from_iterable(elements)
    # NumPy also takes true, false, null and texts for numbers.
    if not array.size or array.ndim > RANK_LIMIT or not _NUMBERS.issuperset(map(type, elements)):
        raise _NoKey
    return array
