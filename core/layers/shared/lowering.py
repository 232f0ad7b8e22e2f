"""Lowering: a layout of images in which a convolution is one matrix product for each row of its result.

Images are stored as height x channels x width x n. They are copied once for each column j of the kernel, shifted by j:

    L[h, j, c, w, n] = X[h, c, w·stride + j, n]

Row r of the result then reads the rows h = r·stride … r·stride + kernel height − 1 of L: one contiguous matrix of
(kernel height · kernel width · channels) x (width · n), whose product with the weights is the row of the result. Rows
are shared between windows, not copied, and all images are multiplied together.

With dilation d, the rows h, h + d, h + 2d … are neighbours in memory: L is stored as (h mod d) x (h div d). Groups of
channels are the first axis.

Source: the lowering of convolutions to matrix products is Chellapilla, Puri & Simard, High Performance Convolutional Neural
Networks (2006); lowering one axis only, Cho & Brand, MEC: Memory-efficient Convolution (2017).
"""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.layers.shared.windows import Windows


def by_rows(images: Array) -> Array:
    """Return images, n x channels x height x width, as a view height x channels x width x n, their order in memory."""
    return images.transpose(2, 1, 3, 0)


class Lowering:
    """The lowered images L, with the matrix that each row of the result reads."""

    def __init__(self, rows: Windows, columns: Windows, memory: Array) -> None:
        """`memory` has the shape of `lowered_shape` and is 0 in the padding, which is never written."""
        self._rows, self._columns, self._groups, self._memory = rows, columns, len(memory), memory
        self.matrices = [self._matrix(row * rows.stride) for row in range(rows.count)]
        """For each row of the result, groups x (kernel height · kernel width · channels) x (width · n)."""

    def _matrix(self, top: int) -> Array:
        turn, at = top % self._rows.dilation, top // self._rows.dilation
        read = self._memory[:, turn, at : at + self._rows.size]
        return np.reshape(read, (self._groups, -1, read.shape[-2] * read.shape[-1]), copy=False)

    def _parts(self, images: Array) -> list[tuple[Array, Array]]:
        """Return pairs of views of equal shape, of L and of the images, for each kernel column and remainder h mod d."""
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
        """Write images, seen `by_rows`, into L."""
        for lowered, numbers in self._parts(images):
            np.copyto(lowered, numbers)

    def clear(self) -> None:
        """Fill L with 0."""
        self._memory.fill(0)

    def add_up(self, images: Array) -> None:
        """Write into images, seen `by_rows`, the sum of each number's places in L: the transpose of `fill`."""
        images.fill(0)
        for lowered, numbers in self._parts(images):
            numbers += lowered


def lowered_shape(rows: Windows, columns: Windows, channels: int, groups: int, examples: int) -> tuple[int, ...]:
    """Return the shape of L."""
    heights = -(-rows.padded // rows.dilation)
    return groups, rows.dilation, heights, columns.size, channels // groups, columns.count, examples
