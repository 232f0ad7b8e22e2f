"""Lowering: images laid out so that a convolution is one product of matrices for each row of its result.

Images lie as height x channels x width x n. Copied once for each column j of the kernel, shifted by j,

    L[h, j, c, w, n] = X[h, c, w·stride + j, n]

all that the kernel reads for row r of the result is the rows h = r·stride … r·stride + kernel height − 1 of L: one piece of
memory, a matrix (kernel height · kernel width · channels) x (width · n), and its product with the weights is that row.
No row is copied for the sake of another, and no image is looked at by itself.

With dilation d, the rows h, h + d, h + 2d … lie next to each other: L is kept as (h mod d) x (h div d). Groups of channels
come first.

Source: the lowering of convolutions to matrix products is Chellapilla, Puri & Simard, High Performance Convolutional Neural
Networks (2006); lowering one axis only, Cho & Brand, MEC: Memory-efficient Convolution (2017).
"""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.layers.shared.windows import Windows


def by_rows(images: Array) -> Array:
    """n x channels x height x width seen as height x channels x width x n, as images lie in memory."""
    return images.transpose(2, 1, 3, 0)


class Lowering:
    """L, with the matrix that each row of the result reads."""

    def __init__(self, rows: Windows, columns: Windows, memory: Array) -> None:
        """`memory` has the shape that `lowered_shape` says; the padding in it is 0, and stays 0."""
        self._rows, self._columns, self._groups, self._memory = rows, columns, len(memory), memory
        self.matrices = [self._matrix(row * rows.stride) for row in range(rows.count)]
        """For each row of the result: groups x (kernel height · kernel width · channels) x (width · n)."""

    def _matrix(self, top: int) -> Array:
        turn, at = top % self._rows.dilation, top // self._rows.dilation
        read = self._memory[:, turn, at : at + self._rows.size]
        return np.reshape(read, (self._groups, -1, read.shape[-2] * read.shape[-1]), copy=False)

    def _parts(self, images: Array) -> list[tuple[Array, Array]]:
        """Pairs of the same shape, one for each column of the kernel (and remainder of dilation): L, and the images."""
        height, channels, width, examples = images.shape
        grouped = images.reshape(height, self._groups, channels // self._groups, width, examples).swapaxes(0, 1)
        parts = []
        for turn in range(self._rows.dilation):
            first = (turn - self._rows.before) % self._rows.dilation
            at = (first + self._rows.before) // self._rows.dilation
            some = grouped[:, first :: self._rows.dilation]
            for column in range(self._columns.size):
                windows, numbers = self._columns.inside(column)
                lowered = self._memory[:, turn, at : at + some.shape[1], column, :, windows]
                parts.append((lowered, some[:, :, :, numbers]))
        return parts

    def fill(self, images: Array) -> None:
        """L from images, seen by rows."""
        for lowered, numbers in self._parts(images):
            np.copyto(lowered, numbers)

    def clear(self) -> None:
        """L = 0."""
        self._memory.fill(0)

    def add_up(self, images: Array) -> None:
        """The way back: every number of the images, seen by rows, becomes the sum of its places in L."""
        images.fill(0)
        for lowered, numbers in self._parts(images):
            numbers += lowered


def lowered_shape(rows: Windows, columns: Windows, channels: int, groups: int, examples: int) -> tuple[int, ...]:
    """The shape of L."""
    heights = -(-rows.padded // rows.dilation)
    return groups, rows.dilation, heights, columns.size, channels // groups, columns.count, examples
