"""The body and answer of POST /v1/products."""

from __future__ import annotations

from typing import Literal

from app.problem.conditions import HAS_LOSS, HAS_NETWORK, NO_FEEDBACK, Condition, either, given, states
from app.problem.results import Warning
from app.problem.schemas import Body, NamedTensors, Parameters, Problem
from app.wire.tensor import Tensor
from core.convention import Convention


class Direction(Body):
    """A direction in the space of parameters and inputs. Tensors that are left out are 0."""

    parameters: Parameters | None = None
    """Tensors by layer and name, in the shapes of `parameters`."""

    inputs: Tensor | NamedTensors | None = None
    """Tensors in the shape of `batch.inputs`."""


def _of_kinds(*kinds: str) -> Condition:
    return {"properties": {"kind": {"enum": [*kinds]}}}


FROM_THE_INPUT = {"properties": {"vector": {"type": "object", **either(given("parameters"), given("inputs"))}}}


class ProductsRequest(Problem):
    """A problem, and the vector that its Jacobian or Hessian is multiplied by."""

    model_config = states(
        HAS_NETWORK,
        NO_FEEDBACK,
        either(_of_kinds("jvp", "vjp"), HAS_LOSS),
        either(_of_kinds("vjp"), FROM_THE_INPUT),
    )

    kind: Literal["jvp", "vjp", "hvp", "gauss_newton"]
    """jvp: J v, the change of the output along v. vjp: J' u for u in the shape of the output. hvp: H v, the change of
    the gradient along v. gauss_newton: J' (∇²ℓ) J v, the Hessian without the second derivatives of the network."""

    vector: Tensor | Direction
    """For vjp, a tensor u in the shape of the output; otherwise the direction v, an object with `parameters` and
    `inputs`."""


class ProductsAnswer(Body):
    """The product of the matrix and the vector."""

    product: Tensor | Direction
    """For jvp, a tensor in the shape of the output; otherwise an object with `parameters` and `inputs`."""

    method: str
    """Method of the computation: complex_step (exact up to rounding) or backward."""

    parameters: Parameters | None = None
    """All parameters. Returned if some of them were drawn from the seed."""

    convention: Convention
    """Layout of the matrices in this answer."""

    dtype: str
    """Precision of the answer."""

    warnings: list[Warning]
    """Observations that did not prevent the computation but deserve attention."""
