"""Linear programmes against the corners of their own polygon."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.computations.invert.linear_programme import solve
from core.arrays import Array
from core.inversion.repair import move_inside

numbers = st.integers(-5, 5).map(float)


@given(
    A=arrays(float, (4, 2), elements=numbers),
    b=arrays(float, 4, elements=numbers),
    goal=arrays(float, 2, elements=numbers),
)
def test_the_solution_is_the_best_corner(A: Array, b: Array, goal: Array) -> None:
    A, b = np.vstack([A, np.eye(2), -np.eye(2)]), np.concatenate([b, np.full(4, 10.0)])  # Bounded: |x| ≤ 10.
    best: float | None = None
    for pair in itertools.combinations(range(len(A)), 2):
        corner = A[list(pair)]
        if abs(np.linalg.det(corner)) > 1e-9:
            x = np.linalg.solve(corner, b[list(pair)])
            if (A @ x <= b + 1e-9).all():
                best = max(float(goal @ x), -np.inf if best is None else best)
    found = solve(goal, A, b)
    assert (found is None) == (best is None)
    if found is not None and best is not None:
        assert (A @ found <= b + 1e-7).all()
        assert abs(float(goal @ found) - best) < 1e-7


def test_without_a_bound_there_is_no_solution() -> None:
    assert solve(np.array([1.0]), np.array([[-1.0]]), np.array([0.0])) is None


@given(x=arrays(float, 3, elements=st.floats(-2, 2)), seed=st.integers(0, 99))
def test_a_point_is_moved_inside_or_cannot_be(x: Array, seed: int) -> None:
    """Along one direction everything can be checked: the interval of admissible steps, and its middle."""
    n = np.random.default_rng(seed).standard_normal(3)
    n /= np.linalg.norm(n)
    ends = np.sort(np.stack([(0 - x) / n, (1 - x) / n]), axis=0)
    low, high = ends[0].max(), ends[1].min()
    found = move_inside(x, n[np.newaxis], (0.0, 1.0), solve)
    if abs(high - low) < 1e-6:
        return
    assert (found is not None) == (low < high)
    if found is not None:
        step = (found - x) @ n
        np.testing.assert_allclose(found, x + step * n, atol=1e-9)
        steps = np.linspace(low, high, 200)
        points = x + steps[:, np.newaxis] * n
        margin = np.minimum(points, 1 - points).min(axis=1).max()
        assert np.minimum(found, 1 - found).min() >= margin - 1e-7
