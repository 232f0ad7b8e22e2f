"""POST /v1/products: what it takes and gives."""

from __future__ import annotations

from typing import Literal

from app.problem.results import Warning
from app.problem.schemas import Body, Convention, NamedTensors, Parameters, Problem
from app.wire.tensor import Tensor


class Direction(Body):
    """A vector in the space of parameters and inputs; what is left out is 0."""

    parameters: Parameters | None = None
    """By layer and name, in the shapes of `parameters`."""

    inputs: Tensor | NamedTensors | None = None
    """In the shape of `batch.inputs`."""


class ProductsRequest(Problem):
    """A problem, and a vector that its Jacobian or its Hessian is multiplied with."""

    kind: Literal["jvp", "vjp", "hvp", "gauss_newton"]
    """jvp: J v, how the output changes along v. vjp: J' u, for u in the shape of the output. hvp: H v, how the gradient
    changes along v. gauss_newton: J' (∇²ℓ) J v, the Hessian without the network's own curvature."""

    vector: Tensor | Direction
    """For vjp a tensor u in the shape of the output; otherwise v, an object with `parameters` and `inputs`."""


class ProductsAnswer(Body):
    """The product of a matrix that was never formed with a vector."""

    product: Tensor | Direction
    """For jvp a tensor in the shape of the output; otherwise an object with `parameters` and `inputs`."""

    method: str
    """How it was computed: complex_step (exact to rounding) or backward."""

    parameters: Parameters | None = None
    """All parameters, where some were drawn from the seed."""

    convention: Convention
    """How matrices are written in this answer."""

    dtype: str
    """Precision of the answer."""

    warnings: list[Warning]
    """What was not refused and deserves a look."""
