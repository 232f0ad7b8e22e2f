"""POST /v1/jacobian: what it takes and gives."""

from __future__ import annotations

from app.problem.results import Warning
from app.problem.schemas import Body, Convention, Parameters, Problem
from app.wire.tensor import Tensor


class JacobianRequest(Problem):
    """A problem (without a loss), and which tensor is differentiated by which."""

    of: str = "output"
    """Whose activations are differentiated: the name of a layer, or "output" for the last."""

    wrt: str = "input"
    """By what: "input", a named input of the batch, or a parameter as "1.weight"."""


class JacobianAnswer(Body):
    """A dense Jacobian."""

    jacobian: Tensor
    """∂(of)/∂(wrt): its shape is that of `of` followed by that of `wrt`. Reshaped to a matrix in row-major order it is the
    Jacobian of vec(of) by vec(wrt)."""

    of_shape: list[int]
    """Shape of what is differentiated."""

    wrt_shape: list[int]
    """Shape of what it is differentiated by."""

    parameters: Parameters | None = None
    """All parameters, where some were drawn from the seed."""

    convention: Convention
    """How matrices are written in this answer."""

    dtype: str
    """Precision of the computation."""

    warnings: list[Warning]
    """What was not refused and deserves a look."""
