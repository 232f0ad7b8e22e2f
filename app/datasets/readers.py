"""Readers: from a file or a JSON body to the tensors of a dataset."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Literal

import numpy as np

from app.datasets.schemas import DatasetRequest
from app.http.multipart import is_form
from app.problem.from_request import unknown_names
from app.wire import csv_file, npz_file, safetensors_file, safetensors_message
from app.wire.decode import decode
from app.wire.limits import DocumentLimits
from core.arrays import Array, CheckDeadline
from core.convention import tensor
from core.dataset import Dataset
from core.errors import Refusal, refuse_if_any
from core.network import INPUT

Format = Literal["json", "csv", "npz", "safetensors"]
MEDIA_TYPES: dict[str, Format] = {
    "application/json": "json",
    "text/csv": "csv",
    "application/zip": "npz",
    "application/x-npz": "npz",
    safetensors_message.MEDIA_TYPE: "safetensors",
    "application/safetensors": "safetensors",
}


MOST_CLASSES = 10_000
"""Maximum number of classes in a column."""


@dataclass(frozen=True, slots=True)
class DatasetOptions:
    """The options in the query of an upload."""

    name: str | None = None
    inputs: Sequence[str] = ()
    targets: Sequence[str] = ()
    classes: Literal["one_hot", "index"] | None = None
    standardise: bool = False
    header: bool = True
    delimiter: str = "comma"


@dataclass(frozen=True, slots=True)
class Found:
    """The contents of an uploaded file."""

    dataset: Dataset
    name: str | None = None
    columns: Sequence[str] | None = None
    target_columns: Sequence[str] | None = None
    classes: Sequence[str] | None = None
    ignored: Sequence[str] = field(default_factory=list)


def format_of(content_type: str | None, asked: Format | None) -> Format | None:
    """Return the format of a body: the one in the query, or the one that Content-Type names; None for a file in a form.

    Raises:
        Refusal: `unsupported-media-type`.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if asked is None and is_form(content_type):
        return None
    if asked is None and media_type not in MEDIA_TYPES:
        detail = (
            f"The Content-Type {media_type[:80]!r} is not supported." if media_type else "The body has no Content-Type."
        )
        hint = "Send one of the expected types, or state the format as ?format=csv, npz, safetensors or json."
        raise Refusal.of("unsupported-media-type", detail, expected=list(MEDIA_TYPES), hint=hint)
    return asked or MEDIA_TYPES[media_type]


def recognise(file: IO[bytes]) -> Format:
    """Return the format that the first bytes of a file tell, and leave it at its start. Text that is no JSON is CSV.

    Raises:
        Refusal: `unsupported-media-type`, if they tell none.
    """
    head = file.read(4096)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "npz"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size - 8:
        return "safetensors"
    if head and all(byte >= 32 or byte in b"\t\r\n" for byte in head):
        return "json" if head.lstrip()[:1] == b"{" else "csv"
    detail = "The first bytes of the file do not tell its format."
    hint = "State the format as ?format=csv, npz, safetensors or json."
    raise Refusal.of("unsupported-media-type", detail, expected=list(MEDIA_TYPES), hint=hint)


def _from_json(file: IO[bytes], options: DatasetOptions, elements: int, _: CheckDeadline) -> Found:
    body = decode(file.read(), DatasetRequest, DocumentLimits(elements=elements))
    convention = body.convention or "row"
    inputs = body.inputs if isinstance(body.inputs, dict) else {INPUT: body.inputs}
    targets = None if body.targets is None else tensor(body.targets, convention)
    return Found(Dataset({name: tensor(array, convention) for name, array in inputs.items()}, targets), name=body.name)


def _from_npz(file: IO[bytes], options: DatasetOptions, elements: int, _: CheckDeadline) -> Found:
    return _of_arrays(npz_file.read(file, elements), options)


def _from_safetensors(file: IO[bytes], options: DatasetOptions, elements: int, _: CheckDeadline) -> Found:
    return _of_arrays(safetensors_file.read(file.read(), DocumentLimits(elements=elements)).tensors, options)


def _of_arrays(arrays: Mapping[str, Array], options: DatasetOptions) -> Found:
    """Return the arrays that the query names, by default `targets` and `inputs` or all arrays below `inputs.`."""
    if len(options.targets) > 1:
        detail = "The targets must be one array; name it with ?targets=."
        raise Refusal.of("invalid-request", detail, "query", "targets")
    refuse_if_any(
        [
            *unknown_names("inputs", options.inputs, list(arrays)),
            *unknown_names("targets", options.targets, list(arrays)),
        ]
    )
    named = {name: name for name in options.inputs} or {
        name: name.removeprefix("inputs.") for name in arrays if name == "inputs" or name.startswith("inputs.")
    }
    if not named:
        detail = "The file has no array 'inputs'; name the array of the inputs with ?inputs=."
        raise Refusal.of("unknown-name", detail, "query", "inputs", expected=list(arrays)[:50])
    inputs = {INPUT if len(named) == 1 and (options.inputs or name == "inputs") else short: arrays[name]
              for name, short in named.items()}  # fmt: skip
    target = options.targets[0] if options.targets else "targets"
    used = {*named, target}
    return Found(Dataset(inputs, arrays.get(target)), ignored=sorted(name for name in arrays if name not in used))


def _from_csv(file: IO[bytes], options: DatasetOptions, elements: int, check_deadline: CheckDeadline) -> Found:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        delimiter = csv_file.DELIMITERS[options.delimiter]
        names = csv_file.header_of(text, delimiter, has_header=options.header)
        refuse_if_any(
            [*unknown_names("inputs", options.inputs, names), *unknown_names("targets", options.targets, names)]
        )
        inputs = list(options.inputs) or [name for name in names if name not in options.targets]
        as_classes = options.classes is not None
        _refuse_choice(inputs, options)
        positions = {name: position for position, name in enumerate(names)}
        numeric = inputs if as_classes else [*inputs, *options.targets]
        classes_at = positions[options.targets[0]] if as_classes else None
        choice = csv_file.Choice([positions[name] for name in numeric], classes_at)
        table = csv_file.read(text, delimiter, names, choice, elements, check_deadline)
    finally:
        text.detach()
    used = {*inputs, *options.targets}
    ignored = [name for name in names if name not in used]
    X, targets = table.numbers[:, : len(inputs)], None
    if as_classes:
        labels = sorted(set(table.texts))
        targets = _encode_labels(table.texts, labels, elements, one_hot=options.classes == "one_hot")
        return Found(Dataset({INPUT: X}, targets), None, inputs, labels, labels, ignored)
    if options.targets:
        targets = table.numbers[:, len(inputs) :]
    return Found(Dataset({INPUT: X}, targets), None, inputs, options.targets, None, ignored)


def _encode_labels(texts: Sequence[str], labels: Sequence[str], elements: int, *, one_hot: bool) -> Array:
    """Return the class numbers of labels, counted from 0, or their one-hot rows.

    Raises:
        Refusal: `too-large`.
    """
    limit = min(MOST_CLASSES, elements // len(texts)) if one_hot else MOST_CLASSES
    if len(labels) > limit:
        detail = f"The column has {len(labels):,} classes; at most {limit:,} are allowed for {len(texts):,} examples."
        raise Refusal.of("too-large", detail, "query", "classes", expected=limit, got=len(labels))
    at = {label: number for number, label in enumerate(labels)}
    numbers = np.array([at[text] for text in texts])
    if not one_hot:
        return numbers.astype(np.float64)
    rows = np.zeros((len(texts), len(labels)))
    rows[np.arange(len(texts)), numbers] = 1
    return rows


def _refuse_choice(inputs: Sequence[str], options: DatasetOptions) -> None:
    """Refuse columns that are both inputs and targets, no inputs at all, and classes in other than one column."""
    both = [name for name in options.targets if name in inputs]
    if both or not inputs:
        which = (
            f"The column {both[0][:60]!r} is both an input and a target."
            if both
            else "All columns are targets; no column is left for the inputs."
        )
        raise Refusal.of("invalid-request", which, "query", "inputs")
    if options.classes is not None and len(options.targets) != 1:
        detail = f"Classes must be in one column; ?targets= names {len(options.targets)}."
        raise Refusal.of("invalid-request", detail, "query", "targets")


READERS: dict[Format, Callable[[IO[bytes], DatasetOptions, int, CheckDeadline], Found]] = {
    "json": _from_json,
    "csv": _from_csv,
    "npz": _from_npz,
    "safetensors": _from_safetensors,
}
