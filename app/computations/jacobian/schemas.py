"""The body and answer of POST /v1/jacobian."""

from __future__ import annotations

from app.problem.conditions import HAS_NETWORK, NO_FEEDBACK, states
from app.problem.results import Warning
from app.problem.schemas import Body, Parameters, Problem
from app.wire.tensor import Tensor
from core.convention import Convention


class JacobianRequest(Problem):
    """A problem, the tensor to differentiate and the variable to differentiate with respect to. No loss is needed."""

    model_config = states(HAS_NETWORK, NO_FEEDBACK)

    of: str = "output"
    """The layer whose activations are differentiated; "output" is the last layer."""

    wrt: str = "input"
    """The variable to differentiate with respect to: "input", a named input of the batch, or a parameter such as
    "1.weight"."""


class JacobianAnswer(Body):
    """A dense Jacobian."""

    jacobian: Tensor
    """∂(of)/∂(wrt). Its shape is the shape of `of` followed by the shape of `wrt`. Reshaped to a matrix in row-major
    order, it is the Jacobian of vec(of) with respect to vec(wrt)."""

    of_shape: list[int]
    """Shape of the differentiated tensor."""

    wrt_shape: list[int]
    """Shape of the variable."""

    parameters: Parameters | None = None
    """All parameters. Returned if some of them were drawn from the seed."""

    convention: Convention
    """Layout of the matrices in this answer."""

    dtype: str
    """Precision of the computation."""

    warnings: list[Warning]
    """Observations that did not prevent the computation but deserve attention."""
