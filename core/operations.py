"""Operations: the unit in which the cost of a computation is counted, and the costs that layers have in common.

One operation is one floating-point operation of a large matrix product in double precision. Everything else is weighted by
the time that it takes in comparison, so that a number of operations predicts a time: an element of an array that is read or
written costs more than an addition, and each call of NumPy costs as much as a small product.
"""

from __future__ import annotations

from core.arrays import Shape

UNIT = (
    "One floating-point operation of a large matrix product in double precision. Other work counts by its time: 20 for an "
    "element that is read or written, 150 for a function such as tanh, 30,000 for a call of NumPy."
)
"""The unit, for readers."""

RATE = 3e10
"""Operations per second of one core, as measured by `bench/cost.py`: OpenBLAS multiplies matrices of 1,000 rows at 30 to 40
GFlop/s on one core of a laptop or server."""

ELEMENT = 20.0
"""Operations of reading or writing one element of an array: 0.7 ns."""

FUNCTION = 150.0
"""Operations of a transcendental function of one element, such as exp or tanh: 5 ns."""

CALL = 30_000.0
"""Operations of one call of NumPy on a small array: 1 µs, which is spent in the interpreter."""

MATRIX = 3_000.0
"""Operations of the call of BLAS for each matrix of a stack: 0.1 µs."""

READ = 1_000.0
"""Operations of reading one number of a body: 33 ns."""

WRITE = 900.0
"""Operations of writing one number of an answer: 30 ns."""

REQUEST = 2e7
"""Operations of what every request needs: reading, validating, laying a plan, writing."""

DRAW = 300.0
"""Operations of drawing a random number: 10 ns."""

ROTATION = 3_000.0
"""Operations of a decomposition for each element of a matrix, besides the cubic term: below some hundred rows LAPACK works
through vectors that are too short to be fast."""


def count(shape: Shape) -> int:
    """Return the number of elements of a tensor, as an exact integer of any size."""
    elements = 1
    for length in shape:
        elements *= length
    return elements


def multiplication(rows: float, inner: float, columns: float, matrices: float = 1) -> float:
    """Return the operations of (rows x inner) (inner x columns) for a stack of matrices: 2 · rows · inner · columns each.

    The elements count too: a product with few rows waits for memory.
    """
    elements = rows * inner + inner * columns + rows * columns
    return CALL + matrices * (MATRIX + 2 * rows * inner * columns + ELEMENT * elements)


def singular_values(rows: float, columns: float, matrices: float = 1) -> float:
    """Return the operations of the decompositions U Σ Vᵀ of a stack: 6 m n² + 4 n³ each, where m >= n.

    Source: Golub & Van Loan, Matrix Computations (4th ed., 2013), table of §8.6: Σ, U_1 and V take 6 m n² + 20 n³ by the
    R-SVD. Most of the 20 n³ are the rotations of the QR iteration, which LAPACK's gesdd replaces by divide and conquer.
    """
    m, n = max(rows, columns), min(rows, columns)
    return CALL + matrices * (6 * m * n * n + 4 * n**3 + ROTATION * m * n)


def eigenvalues(rows: float, matrices: float = 1) -> float:
    """Return the operations of the decompositions U Λ Uᵀ of symmetric matrices: 4 n³ each.

    Source: Golub & Van Loan, Matrix Computations (4th ed., 2013), §8.3: 4/3 n³ for the tridiagonal form and 2 n³ for its
    vectors; the symmetric QR algorithm would take 9 n³ in all, LAPACK's syevd divides and conquers instead.
    """
    return CALL + matrices * (4 * rows**3 + ROTATION * rows * rows)
