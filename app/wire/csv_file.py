"""CSV files: chosen columns are read as numbers or as class labels, and errors name the cell."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

import numpy as np

from app.wire.limits import ISSUES_LIMIT
from core.arrays import Array, CheckDeadline
from core.errors import Issue, Refusal, refuse_if_any

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
COLUMNS_LIMIT = 100_000
_ROWS = 1024
"""Number of rows read at a time."""

_SHORT = 32
"""Maximum number of characters of cells that are converted in one call."""

LINE_ENDS = (
    "The file is a single line. If curl sent it with -d, which drops line ends, send it with --data-binary @NAME."
)
NAME_LIMIT = 200
"""Maximum number of characters of the name of a column or class."""

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
"""Texts that mark a missing value, in lower case."""


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The columns of a file."""

    numbers: Array
    """The numeric columns, one row per example."""

    texts: list[str]
    """The column with class labels, if there is one."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The columns to read, by their positions."""

    numbers: Sequence[int]
    texts: int | None = None


def header_of(file: TextIO, delimiter: str, *, has_header: bool) -> list[str]:
    """Return the names of the columns: the first line, or "1", "2", ... for files without a header.

    Raises:
        Refusal: if the file is empty, names are empty or occur twice, or the first line contains numbers.
    """
    file.seek(0)
    lines = _rows(file, delimiter)
    first = next(lines, None)
    if first is None:
        raise Refusal.of("invalid-request", "The file is empty.")
    alone = next(lines, None) is None
    file.seek(0)
    if len(first) > COLUMNS_LIMIT:
        detail = f"The file has {len(first):,} columns; at most {COLUMNS_LIMIT:,} are allowed."
        hint = LINE_ENDS if alone else None
        raise Refusal.of("too-large", detail, expected=COLUMNS_LIMIT, got=len(first), hint=hint)
    if has_header and alone:
        raise Refusal.of("invalid-request", "The file has a header but no rows.", hint=LINE_ENDS)
    if not has_header:
        return [str(position + 1) for position in range(len(first))]
    next(_rows(file, delimiter))
    names = [name.strip() for name in first]
    if all(_is_number(name) for name in names):
        hint = "If the file has no header, send ?header=false; its columns are then named 1, 2, ..."
        raise Refusal.of(
            "invalid-request", "The first line of the file holds numbers where names should be.", hint=hint
        )
    issues = [
        Issue(code="invalid-request", detail=f"Column {position + 1} {what}.", path=("line 1", position + 1))
        for position, name in enumerate(names)
        for what in _wrong_name(name, names[:position] if position < 1000 else ())
    ]
    if len(set(names)) < len(names) and not issues:
        issues = [Issue(code="invalid-request", detail="Some names of columns occur twice.", path=("line 1",))]
    refuse_if_any(issues[:ISSUES_LIMIT])
    return names


def read(
    file: TextIO,
    delimiter: str,
    names: Sequence[str],
    choice: Choice,
    elements: int,
    check_deadline: CheckDeadline,
) -> CsvTable:
    """Read the lines after the header.

    Raises:
        Refusal: for missing cells, cells that are not finite numbers, and lines of the wrong length, by row and column; for
            more numbers than `elements`.
    """
    blocks: list[Array] = []
    texts: list[str] = []
    issues: list[Issue] = []
    rows, count = _rows(file, delimiter), 0
    while block := list(islice(rows, _ROWS)):
        check_deadline()
        issues += _length_issues(block, count, names)
        if len(issues) < ISSUES_LIMIT and not any(issue.path[-1:] == ("length",) for issue in issues):
            cells = [[row[position] for position in choice.numbers] for row in block]
            numbers = _numbers(cells)
            if numbers is None:
                issues += _cell_issues(cells, count, names, choice.numbers)
            else:
                blocks.append(numbers)
            if choice.texts is not None:
                issues += _text_issues(block, count, names, choice.texts)
                texts += [row[choice.texts].strip() for row in block]
        if len(issues) >= ISSUES_LIMIT:
            break
        count += len(block)
        if count * len(choice.numbers) > elements:
            detail = f"The file contains more than {elements:,} numbers, the limit of this server."
            raise Refusal.of("too-large", detail, expected=elements)
    refuse_if_any(issues[:ISSUES_LIMIT])
    if not count:
        raise Refusal.of("invalid-request", "The file has a header but no rows.")
    return CsvTable(np.concatenate(blocks), texts)


def _rows(file: TextIO, delimiter: str) -> Iterator[list[str]]:
    """Yield the lines that are not empty.

    Raises:
        Refusal: if the file is not CSV in UTF-8.
    """
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    try:
        yield from (row for row in reader if row)
    except csv.Error as error:
        raise Refusal.of("invalid-request", f"Line {reader.line_num} of the file is not valid CSV: {error}.") from None
    except UnicodeDecodeError:
        raise Refusal.of("invalid-request", f"The file is not UTF-8, after line {reader.line_num}.") from None


def _numbers(cells: list[list[str]]) -> Array | None:
    """Return the cells as numbers, None if one is not a number. 1_000, which Python accepts, is not a number."""
    if any("_" in cell for row in cells for cell in row):
        return None
    try:
        if all(len(cell) <= _SHORT for row in cells for cell in row):
            found = np.array(cells, dtype=np.str_).astype(np.float64)
        else:  # An array of strings would use the longest length for all of them.
            found = np.array([[float(cell) for cell in row] for row in cells])
    except ValueError:
        return None
    return found.reshape(len(cells), -1) if np.isfinite(found).all() else None


def _is_number(text: str) -> bool:
    try:
        return "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False


def _wrong_name(name: str, earlier: Sequence[str]) -> Iterator[str]:
    if not name or len(name) > NAME_LIMIT:
        yield f"has a name of more than {NAME_LIMIT} characters" if name else "has no name"
    elif name in earlier:
        yield f"has the name {name[:60]!r} of an earlier one"


def _length_issues(block: list[list[str]], before: int, names: Sequence[str]) -> list[Issue]:
    return [
        Issue(
            code="ragged-array",
            path=(f"row {before + position + 1}", "length"),
            detail=f"Row {before + position + 1} has {len(row)} cells; the header has {len(names)}.",
            expected=len(names),
            got=len(row),
        )
        for position, row in enumerate(block)
        if len(row) != len(names)
    ][:ISSUES_LIMIT]


def _cell_issues(cells: list[list[str]], before: int, names: Sequence[str], chosen: Sequence[int]) -> list[Issue]:
    """Return an issue for each cell that is not a number."""
    wrong = (
        (before + position + 1, names[column], text.strip())
        for position, row in enumerate(cells)
        for column, text in zip(chosen, row, strict=True)
        if not _is_number(text)
    )
    return [_cell_issue(row, column, text) for row, column, text in islice(wrong, ISSUES_LIMIT)]


def _cell_issue(row: int, column: str, text: str) -> Issue:
    column = column[:60]
    path = (f"row {row}", column)
    if text.lower() in _MISSING:
        detail = f"Row {row} has no value in column {column!r}."
        return Issue(code="invalid-request", path=path, detail=detail, hint="Fill in the value or leave out the row.")
    hint = None
    if _is_number(text.replace(",", ".", 1)):
        hint = "The decimal sign is a point."
    elif not any(sign.isdigit() for sign in text):
        hint = "Choose the columns with ?inputs=, or read the targets as classes with ?classes=one_hot."
    return Issue(
        code="invalid-request",
        path=path,
        detail=f"Row {row}, column {column!r}: {text[:40]!r} is not a number.",
        hint=hint,
    )


def _text_issues(block: list[list[str]], before: int, names: Sequence[str], chosen: int) -> list[Issue]:
    return [
        _cell_issue(before + position + 1, names[chosen], "")
        if len(row[chosen]) <= NAME_LIMIT
        else Issue(
            code="invalid-request",
            path=(f"row {before + position + 1}", names[chosen][:60]),
            detail=f"Row {before + position + 1}: the name of a class has at most {NAME_LIMIT} characters.",
        )
        for position, row in enumerate(block)
        if len(row[chosen]) > NAME_LIMIT or row[chosen].strip().lower() in _MISSING
    ][:ISSUES_LIMIT]
