"""Numbers as LaTeX: scalars, vectors and matrices, rounded for reading and cut if they are large."""

from __future__ import annotations

import numpy as np

from core.arrays import Array


def number(value: float, digits: int) -> str:
    """Return a number as LaTeX with that many significant digits."""
    text = f"{float(value):.{digits}g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def matrix(array: Array, digits: int, largest: int) -> str:
    """Return an array as LaTeX: a number, a column or a matrix. Dots replace rows and columns beyond `largest`.

    A tensor of higher rank shows its shape and its first matrix.
    """
    array = np.asarray(array)
    if array.ndim == 0:
        return number(float(array), digits)
    if array.ndim > 2:
        shape = r" \times ".join(map(str, array.shape))
        first = matrix(array.reshape(-1, *array.shape[-2:])[0], digits, max(1, largest // 2))
        return rf"\left[{first}, \ldots\right]_{{{shape}}}"
    rows = array[:, None] if array.ndim == 1 else array
    vertical, horizontal = entries_to_print(rows.shape[0], rows.shape[1], largest)
    lines = []
    for row in vertical:
        cells = [_cell(rows, row, column, digits) for column in horizontal]
        lines.append(" & ".join(cells))
    return r"\begin{pmatrix}" + r" \\ ".join(lines) + r"\end{pmatrix}"


def _cell(rows: Array, row: int, column: int, digits: int) -> str:
    if row < 0 and column < 0:
        return r"\ddots"
    if row < 0:
        return r"\vdots"
    return r"\cdots" if column < 0 else number(rows[row, column], digits)


def entries_to_print(rows: int, columns: int, largest: int) -> tuple[list[int], list[int]]:
    """Return the rows and the columns to print; −1 stands for dots."""
    if rows * columns <= largest:
        return list(range(rows)), list(range(columns))
    side = max(2, int(largest**0.5))
    most_rows, most_columns = (max(side, largest // max(1, min(other, side))) for other in (columns, rows))
    return _cut(rows, most_rows), _cut(columns, most_columns)


def _cut(length: int, most: int) -> list[int]:
    return list(range(length)) if length <= most else [*range(most - 1), -1, length - 1]
