"""Linear programmes, solved by HiGHS."""

from __future__ import annotations

import highspy
import numpy as np

from core.arrays import Array


def solve(goal: Array, A: Array, bounds: Array) -> Array | None:
    """Return the x that maximises goal·x subject to A x ≤ bounds, or None if there is none.

    The result is deterministic.
    """
    rows, columns = A.shape
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = columns, rows
    programme.sense_ = highspy.ObjSense.kMaximize
    programme.col_cost_ = goal
    programme.col_lower_, programme.col_upper_ = np.full(columns, -np.inf), np.full(columns, np.inf)
    programme.row_lower_, programme.row_upper_ = np.full(rows, -np.inf), bounds
    programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    programme.a_matrix_.start_ = np.arange(rows + 1, dtype=np.int32) * columns
    programme.a_matrix_.index_ = np.tile(np.arange(columns, dtype=np.int32), rows)
    programme.a_matrix_.value_ = A.ravel()
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(programme)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.array(solver.getSolution().col_value)
