"""Copies and sums of rows as compiled loops, which cost less than assignments to slices of such small arrays."""

from __future__ import annotations

from typing import Any

from app.compiled.jit import compiled


@compiled
def gather(X: Any, order: Any, start: int, count: int, batch: Any) -> None:
    """Copy the examples of a step into a vector, one row after the other."""
    features = X.shape[1]
    for i in range(count):
        x, row = X[order[start + i]], batch[i * features : (i + 1) * features]
        for j in range(features):
            row[j] = x[j]


@compiled
def clear(vector: Any, at: int, length: int) -> None:
    """Set a part of a vector to 0."""
    part, zero = vector[at : at + length], vector.dtype.type(0)
    for i in range(length):
        part[i] = zero


@compiled
def repeat(vector: Any, at: int, length: int, count: int, rows: Any, to: int) -> None:
    """Copy a part of a vector to so many rows; zeros where the part is at -1."""
    if at < 0:
        clear(rows, to, length * count)
        return
    part = vector[at : at + length]
    for i in range(count):
        row = rows[to + i * length : to + (i + 1) * length]
        for j in range(length):
            row[j] = part[j]


@compiled
def add_rows(rows: Any, at: int, length: int, count: int, sums: Any, to: int) -> None:
    """Set a part of a vector to the sum of so many rows."""
    clear(sums, to, length)
    part = sums[to : to + length]
    for i in range(count):
        row = rows[at + i * length : at + (i + 1) * length]
        for j in range(length):
            part[j] += row[j]


@compiled
def transpose(W: Any, at: int, n: int, o: int, turned: Any) -> None:
    """Copy a matrix of n rows and o columns to one of o rows."""
    for j in range(o):
        row = turned[j * n : (j + 1) * n]
        for i in range(n):
            row[i] = W[at + i * o + j]


@compiled
def add_multiple(factor: float, theta: Any, at: int, length: int, gradient: Any) -> None:
    """Add a multiple of a part of θ to the same part of the gradient."""
    number, weight, part = theta.dtype.type(factor), theta[at : at + length], gradient[at : at + length]
    for i in range(length):
        part[i] += number * weight[i]


@compiled
def sum_of_squares(vector: Any, at: int, length: int) -> float:
    """Return the sum of the squares of a part of a vector."""
    part, total = vector[at : at + length], 0.0
    for i in range(length):
        total += float(part[i]) * float(part[i])
    return total
