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

from functools import partial

import numpy as np

from core.arrays import Array, Op
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

    def fill(self, images: Array) -> list[Op]:
        """Return the operations that write images, seen `by_rows`, into L. They are brought into their order only once."""
        if images.flags.c_contiguous or self._columns.size == 1:
            return [partial(np.copyto, lowered, numbers) for lowered, numbers in self._places(images)]
        ordered = np.empty(images.shape, images.dtype)
        return [partial(np.copyto, ordered, images), *self.fill(ordered)]

    def _places(self, images: Array) -> list[tuple[Array, Array]]:
        """Return pairs of views of equal shape, of L and of the images, for each remainder h mod d and kernel column."""
        grouped, places = by_groups(images, self._groups), []
        for turn in range(self._rows.dilation):
            first = (turn - self._rows.before) % self._rows.dilation
            at = (first + self._rows.before) // self._rows.dilation
            some = grouped[:, first :: self._rows.dilation]
            lowered = self._memory[:, turn, at : at + some.shape[1]]
            places += columns_of(lowered, some, self._columns)
        return places


class Raising:
    """The way back: the deltas of the result, summed for each number over the windows that read it.

    Row h of L receives Σ W_iᵀ dZ_r over the rows r of the result whose window reads it with row i of the kernel. Rows of the
    result follow each other in memory, so with the rows of the kernel in the order in which they meet them, the sum is one
    product (with groups or dilation, one for each r). Its columns j are then added to the row of the images, j apart.
    """

    def __init__(self, rows: Windows, columns: Windows, W: Array, dZ: Array, images: Array) -> None:
        """Bind the arrays.

        Args:
            rows: the windows along the height.
            columns: the windows along the width.
            W: groups x filters x kernel height x (kernel width · channels).
            dZ: result height x groups x filters x (width · n).
            images: receives the sums, seen `by_rows`.
        """
        groups, filters, _, lowered = W.shape
        # Rows r, r + 1, … of the result meet row h with the rows i, i − stride, … of the kernel.
        order = sorted(range(rows.size), key=lambda i: (i % rows.stride, -i))
        self._W, self._dZ, self._order = W, dZ, order
        self._turned = np.empty((rows.size, groups, filters, lowered), W.dtype)
        self._lowered = np.empty((groups, lowered, dZ.shape[-1]), W.dtype)
        self._joined = groups == 1 and rows.dilation == 1
        self._rows = [self._factors(rows, row + rows.before) for row in range(rows.length)]
        grouped = by_groups(images, groups)
        parts = self._lowered.reshape(groups, columns.size, grouped.shape[2], columns.count, images.shape[-1])
        self._places = [columns_of(parts, grouped[:, row], columns) for row in range(rows.length)]
        self._images = images

    def _factors(self, rows: Windows, at: int) -> list[tuple[Array, Array]]:
        """Return the pairs W_iᵀ, dZ_r of which row `at` of L receives the products."""
        met = []
        for i in reversed(range(rows.size)):
            r, between = divmod(at - i * rows.dilation, rows.stride)
            if not between and 0 <= r < rows.count:
                met.append((r, self._order.index(i)))
        if self._joined and met:
            (r, i), count = met[0], len(met)
            joined = self._turned[i : i + count], self._dZ[r : r + count]
            kernel, delta = (np.reshape(array, (1, -1, array.shape[-1]), copy=False) for array in joined)
            return [(kernel.swapaxes(1, 2), delta)]
        return [(self._turned[i].swapaxes(1, 2), self._dZ[r]) for r, i in met]

    def __call__(self) -> None:
        np.copyto(self._turned, self._W.transpose(2, 0, 1, 3)[self._order])
        for image, factors, places in zip(self._images, self._rows, self._places, strict=True):
            image.fill(0)
            for number, (kernel, delta) in enumerate(factors):
                if number:
                    np.add(self._lowered, np.matmul(kernel, delta), self._lowered)
                else:
                    np.matmul(kernel, delta, out=self._lowered)
            if factors:
                for lowered, numbers in places:
                    np.add(numbers, lowered, numbers)


def by_groups(images: Array, groups: int) -> Array:
    """Return images, seen `by_rows`, as a view groups x height x channels of a group x width x n."""
    height, channels, *rest = images.shape
    return np.reshape(images, (height, groups, channels // groups, *rest), copy=False).swapaxes(0, 1)


def columns_of(lowered: Array, numbers: Array, columns: Windows) -> list[tuple[Array, Array]]:
    """Return, for each column of the kernel, views of equal shape of what is lowered and of the numbers of images."""
    places = []
    for column in range(columns.size):
        windows, inside = columns.inside(column)
        places.append((lowered[..., column, :, windows, :], numbers[..., inside, :]))
    return places


def lowered_shape(rows: Windows, columns: Windows, channels: int, groups: int, examples: int) -> tuple[int, ...]:
    """Return the shape of L."""
    heights = -(-rows.padded // rows.dilation)
    return groups, rows.dilation, heights, columns.size, channels // groups, columns.count, examples
