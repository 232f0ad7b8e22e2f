"""Matrix products in tiles: the sums of a tile stay in vector registers while its factors are read once.

The compiler does not find that form in loops by itself, and it is some three times as fast as the loops. Every element of a
product is one sum in the order of the inner index, so its bits do not depend on the tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from app.compiled.jit import compiled

HAS_WIDE_REGISTERS = bool(llvm.get_host_cpu_features().get("avx512f", False))
ROWS = 8 if HAS_WIDE_REGISTERS else 4
"""Rows of a tile. 8 x 32 numbers of 4 bytes are half of the 32 registers of 64 bytes, 4 x 16 half of 16 of 32 bytes."""

WIDEST = 32 if HAS_WIDE_REGISTERS else 16
"""Columns of the widest tile; narrower ones, down to one column, do the rest."""


def _tile_of(rows: int, columns: int) -> Callable[..., None]:
    """Return the function that adds the product of some rows of A and some columns of B to a tile of C.

    Its arguments are vectors with the place of the first element: of A with the distances between rows and between
    columns, of B and C with those between rows; and the length of the sums.
    """

    @intrinsic  # type: ignore[untyped-decorator,unused-ignore]
    def tile(  # type: ignore[no-untyped-def]
        typing_context, A, a, a_row, a_column, B, b, b_row, C, c, c_row, inner
    ):
        signature = types.void(A, *[types.int64] * 3, B, *[types.int64] * 2, C, *[types.int64] * 3)

        def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
            number = context.get_value_type(A.dtype)
            vector = ir.VectorType(number, columns)
            bits = ir.IntType(32)
            align = A.dtype.bitwidth // 8
            multiply_add = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(vector, [vector] * 3),
                f"llvm.fmuladd.v{columns}f{A.dtype.bitwidth}",
            )

            def start(array_type: Any, array: Any, place: Any) -> Any:
                return builder.gep(context.make_array(array_type)(context, builder, array).data, [place])

            def vector_at(pointer: Any, place: Any) -> Any:
                return builder.bitcast(builder.gep(pointer, [place]), vector.as_pointer())

            def spread(value: Any) -> Any:
                one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, bits(0))
                mask = ir.Constant(ir.VectorType(bits, columns), [0] * columns)
                return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), mask)

            a_start, b_start, c_start = start(A, *args[0:2]), start(B, *args[4:6]), start(C, *args[7:9])
            a_row, a_column, b_row, c_row, inner = args[2], args[3], args[6], args[9], args[10]
            sums = [cgutils.alloca_once(builder, vector) for _ in range(rows)]
            places = [vector_at(c_start, builder.mul(c_row, ir.Constant(c_row.type, row))) for row in range(rows)]
            for total, place in zip(sums, places, strict=True):
                builder.store(builder.load(place, align=align), total)
            with cgutils.for_range(builder, inner) as loop:
                factor = builder.load(vector_at(b_start, builder.mul(loop.index, b_row)), align=align)
                column = builder.mul(loop.index, a_column)
                for row, total in enumerate(sums):
                    at = builder.add(column, builder.mul(a_row, ir.Constant(a_row.type, row)))
                    scalar = builder.load(builder.gep(a_start, [at]))
                    added = builder.call(multiply_add, [spread(scalar), factor, builder.load(total)])
                    builder.store(added, total)
            for total, place in zip(sums, places, strict=True):
                builder.store(builder.load(total), place, align=align)
            return context.get_dummy_value()

        return signature, generate

    found: Callable[..., None] = tile
    return found


_tile_widest, _row_widest = _tile_of(ROWS, WIDEST), _tile_of(1, WIDEST)
_tile_16, _row_16 = _tile_of(ROWS, 16), _tile_of(1, 16)
_tile_8, _row_8 = _tile_of(ROWS, 8), _tile_of(1, 8)
_tile_4, _row_4 = _tile_of(ROWS, 4), _tile_of(1, 4)
_tile_2, _row_2 = _tile_of(ROWS, 2), _tile_of(1, 2)
_tile_1, _row_1 = _tile_of(ROWS, 1), _tile_of(1, 1)


@compiled
def add_product(
    m: int, n: int, inner: int, A: Any, a: int, a_row: int, a_column: int, B: Any, b: int, C: Any, c: int
) -> None:
    """C += A B for matrices in vectors, each with the place of its first element: (m, inner) times (inner, n).

    B and C are in row-major order; A has any distances between rows and between columns.
    """
    j = 0
    while j < n:
        width = WIDEST
        while width > n - j:
            width //= 2
        i = 0
        while i + ROWS <= m:
            at, to = a + i * a_row, c + i * n + j
            if width == WIDEST:
                _tile_widest(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            elif width == 16:
                _tile_16(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            elif width == 8:
                _tile_8(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            elif width == 4:
                _tile_4(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            elif width == 2:
                _tile_2(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            else:
                _tile_1(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            i += ROWS
        while i < m:
            at, to = a + i * a_row, c + i * n + j
            if width == WIDEST:
                _row_widest(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            elif width == 16:
                _row_16(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            elif width == 8:
                _row_8(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            elif width == 4:
                _row_4(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            elif width == 2:
                _row_2(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            else:
                _row_1(A, at, a_row, a_column, B, b + j, n, C, to, n, inner)
            i += 1
        j += width
