"""Requests and answers as safetensors: tensors by their path, the other fields as JSON in the metadata.

    tensors         batch.inputs, batch.targets, parameters.1.weight, ...
    __metadata__    under the key "gradd" the text {"network": ..., "loss": ...}

The name of a layer may contain dots. Paths are still unambiguous, because fields and parameter names contain none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from app.wire import safetensors_file
from app.wire.decode import read_values, validate_values
from app.wire.encode import encode
from app.wire.finite import require_finite
from app.wire.limits import DEFAULT_LIMITS, DocumentLimits
from app.wire.tensor_fields import FieldNode, field_tree
from core.errors import GraddError, Issue, Refusal

MEDIA_TYPE = "application/vnd.gradd+safetensors"
KEY = "gradd"
M = TypeVar("M", bound=BaseModel)


def decode_message(body: bytes, model: type[M], limits: DocumentLimits = DEFAULT_LIMITS) -> M:
    """Decode a request. Its tensors are views of the body.

    Raises:
        Refusal: with the errors of the file and its JSON; paths are those of the same request as JSON.
    """
    node = field_tree(model)
    values, issues = read_message(body, node, limits)
    return validate_values(values, issues, model, node)


def read_message(
    body: bytes, node: FieldNode, limits: DocumentLimits = DEFAULT_LIMITS
) -> tuple[dict[str, Any], list[Issue]]:
    """Return the values of a request with arrays as tensors, and the issues of the tensors.

    Raises:
        Refusal: if the body is not a file of tensors with a JSON object.
    """
    try:
        file = safetensors_file.read(body, limits)
    except GraddError as error:
        raise Refusal(_locate(issue, node) for issue in error.issues) from None
    unknown = [name for name in file.metadata if name != KEY]
    if unknown:
        detail = f"The metadata of a message may only have the key {KEY!r}; this one has {unknown[0][:60]!r}."
        raise Refusal.of("unknown-name", detail, safetensors_file.METADATA, expected=[KEY], got=unknown[0][:60])
    values, issues = read_values(file.metadata.get(KEY, "{}").encode(), node, limits)
    issues = list(issues)
    for name, array in file.tensors.items():
        issues += _put(values, path_of(name, node), array)
    return values, issues


def encode_message(answer: dict[str, Any]) -> bytes:
    """Encode an answer.

    Raises:
        GraddError: if a value is not finite, with its path.
    """
    require_finite(answer)
    tensors: dict[str, NDArray[Any]] = {}
    rest = extract_tensors(answer, "", tensors)
    return safetensors_file.write(tensors, {KEY: encode(rest).decode()})


def path_of(name: str, node: FieldNode | None) -> tuple[str, ...]:
    """Return the path that a tensor's name denotes in the given model."""
    path: list[str] = []
    while name and node is not None:
        if node.fields:
            head, _, name = name.partition(".")
            below = node.fields.get(head)
        elif node.values is None or node.values.tensor:
            head, name, below = name, "", None
        else:
            head, _, name = name.rpartition(".")
            if not head:
                head, name = name, ""
            below = node.values
        path.append(head)
        node = below
    return (*path, *name.split(".")) if name or not path else tuple(path)


def _put(values: dict[str, Any], path: tuple[str, ...], array: NDArray[Any]) -> list[Issue]:
    """Put a tensor at its path. Returns an issue if the path is occupied."""
    *above, last = path
    for key in above:
        values = values.setdefault(key, {}) if isinstance(values, dict) else values
    if not isinstance(values, dict) or last in values:
        return [Issue(code="invalid-request", path=path, detail="There is another value at the path of this tensor.")]
    values[last] = array
    return []


def _locate(issue: Issue, node: FieldNode) -> Issue:
    """Return the issue of a tensor with the path of that tensor in the request."""
    if not issue.path or issue.path[0] == safetensors_file.METADATA:
        return issue
    return replace(issue, path=(*path_of(str(issue.path[0]), node), *issue.path[1:]))


def extract_tensors(value: Any, path: str, tensors: dict[str, NDArray[Any]]) -> Any:
    """Return the value without its arrays, which are moved to `tensors` under their paths."""
    if isinstance(value, BaseModel):
        value = value.model_dump(by_alias=True, exclude_none=True)
    if not isinstance(value, dict):
        return value
    rest = {}
    for name, item in value.items():
        below = f"{path}.{name}" if path else str(name)
        if isinstance(item, np.ndarray):
            tensors[below] = item
        else:
            rest[name] = extract_tensors(item, below, tensors)
    return {name: item for name, item in rest.items() if item != {} or not _held(value[name])}


def _held(value: Any) -> bool:
    """Return whether a value was not empty before its tensors were removed."""
    return bool(value)
