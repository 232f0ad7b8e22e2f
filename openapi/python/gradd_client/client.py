"""The client."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self, TypedDict, Unpack

import gradd_api
import httpx
from gradd_api import models
from gradd_api.api.math import (
    check_submission,
    compute_forward,
    compute_gradients,
    compute_jacobian,
    compute_product,
    invert_network,
    make_probe,
    take_step,
)
from gradd_api.models import Convention, ForwardRequestIncludeItem, GradientsRequestIncludeItem
from gradd_api.types import UNSET
from numpy.typing import ArrayLike

from gradd_client.answer import (
    Direction,
    Forward,
    Gradients,
    Inverse,
    Jacobian,
    OptimizerState,
    Probe,
    Product,
    Stepped,
    read,
)
from gradd_client.kept import Keeping
from gradd_client.kinds import Loss, Optimizer
from gradd_client.network import Json, Network, described, sent
from gradd_client.problem import raise_problem
from gradd_client.problem_members import Options, members_of, tensor
from gradd_client.tensor import Arrays, encoded, encoded_by_layer, encoded_by_name
from gradd_client.trained import Training


class _Examples(TypedDict):
    inputs: ArrayLike | Arrays


_COMPARED = ("loss", "output", "preactivations", "activations", "deltas", "gradients", "input_gradient")


class Batch(_Examples, total=False):
    """Examples, and what their outputs are compared with: {"inputs": X, "targets": Y}."""

    targets: ArrayLike
    upstream: ArrayLike
    sample_weight: ArrayLike
    first_label: int


class Client(Keeping, Training):
    """Talks to one gradd server. Every method raises `gradd_client.Problem` where the server refuses.

    A problem may be written as keyword arguments or be a JSON object: gradd.gradients(**problem).
    """

    def __init__(self, base_url: str, timeout_seconds: float = 60.0, *, api_key: str | None = None) -> None:
        """Connects lazily.

        Args:
            base_url: address of the server.
            timeout_seconds: how long an answer may take.
            api_key: the key for a server that needs one. Default: the variable GRADD_API_KEY, if there is one.
        """
        key = api_key or os.environ.get("GRADD_API_KEY")
        self._api = gradd_api.Client(
            base_url=base_url.rstrip("/"),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout_seconds),
            raise_on_unexpected_status=True,
            httpx_args={"event_hooks": {"response": [raise_problem]}},
        )

    def __enter__(self) -> Self:
        self._api.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._api.__exit__(*exception)

    def forward(
        self,
        network: Network | None,
        batch: Batch,
        *,
        include: Sequence[ForwardRequestIncludeItem] | None = None,
        **options: Unpack[Options],
    ) -> Forward:
        """POST /v1/forward: output, activations and, with a loss and targets, the loss."""
        body = models.ForwardRequest(**_problem(network, batch, options), include=_listed(include))
        return read(Forward, compute_forward.sync(client=self._api, body=body))

    def gradients(
        self,
        network: Network | None,
        batch: Batch,
        *,
        include: Sequence[GradientsRequestIncludeItem] | None = None,
        verify: bool = False,
        **options: Unpack[Options],
    ) -> Gradients:
        """POST /v1/gradients: activations, deltas and weight gradients; `verify` adds a certificate."""
        body = models.GradientsRequest(**_problem(network, batch, options), include=_listed(include), verify=verify)
        return read(Gradients, compute_gradients.sync(client=self._api, body=body))

    def jacobian(
        self,
        network: Network | None,
        batch: Batch,
        *,
        of: str = "output",
        wrt: str = "input",
        **options: Unpack[Options],
    ) -> Jacobian:
        """POST /v1/jacobian: the dense Jacobian of a layer or the output by an input or a parameter."""
        body = models.JacobianRequest(**_problem(network, batch, options), of=of, wrt=wrt)
        return read(Jacobian, compute_jacobian.sync(client=self._api, body=body))

    def product(
        self,
        network: Network | None,
        batch: Batch,
        *,
        kind: models.ProductsRequestKind,
        vector: ArrayLike | Direction | Json,
        **options: Unpack[Options],
    ) -> Product:
        """POST /v1/products: jvp, vjp, hvp or Gauss-Newton product with a vector."""
        body = models.ProductsRequest(**_problem(network, batch, options), kind=kind, vector=_vector(vector))
        return read(Product, compute_product.sync(client=self._api, body=body))

    def step(
        self,
        network: Network | None,
        batch: Batch,
        *,
        optimizer: Optimizer | Json,
        optimizer_state: OptimizerState | None = None,
        freeze: Sequence[str] = (),
        steps: int = 1,
        batch_size: int | None = None,
        shuffle: bool = True,
        shuffle_seed: int = 0,
        **options: Unpack[Options],
    ) -> Stepped:
        """POST /v1/step: one or more steps of an optimizer; the answer holds what the next ones need."""
        body = models.StepRequest(
            **_problem(network, batch, options),
            optimizer=sent(optimizer),
            optimizer_state=UNSET if optimizer_state is None else _optimizer_state(optimizer_state),
            freeze=list(freeze),
            steps=steps,
            batch_size=UNSET if batch_size is None else batch_size,
            shuffle=shuffle,
            shuffle_seed=shuffle_seed,
        )
        return read(Stepped, take_step.sync(client=self._api, body=body))

    def invert(
        self,
        network: Network | None,
        targets: ArrayLike,
        *,
        reference: ArrayLike | None = None,
        null_space: bool = True,
        tolerance: float | None = None,
        **options: Unpack[Options],
    ) -> Inverse:
        """POST /v1/invert: inputs for which the network has these outputs; with a reference, the nearest to it."""
        body = models.InvertRequest(**members_of(network, options), targets=encoded(targets), null_space=null_space)
        if reference is not None:
            body.reference = encoded(reference)
        if tolerance is not None:
            body.tolerance = tolerance
        return read(Inverse, invert_network.sync(client=self._api, body=body))

    def check(
        self,
        network: Network | None,
        batch: Batch,
        *,
        submission: Gradients | Json | None = None,
        tolerance: Mapping[str, float] | None = None,
        hints: models.CheckRequestHints = "full",
        **options: Unpack[Options],
    ) -> models.CheckAnswer:
        """POST /v1/check: which rule of your own backpropagation is wrong, why, and how to fix it.

        Args:
            network: the network.
            batch: the batch.
            submission: what your code computed, {"deltas": {"1": D}, "gradients": {"1": {"weight": dW}}, ...}, or an answer
                of `gradients`. Without one the server checks its own backward pass.
            tolerance: {"rtol": ..., "atol": ...}, in place of the one that is worked out.
            hints: how much the answer gives away.
            options: other members of the problem.
        """
        body = models.CheckRequest(**_problem(network, batch, options), hints=hints)
        if submission is not None:
            body.submission = _submission(submission)
        if tolerance is not None:
            body.tolerance = models.Tolerance(**tolerance)
        found = check_submission.sync(client=self._api, body=body)
        if not isinstance(found, models.CheckAnswer):
            raise TypeError(f"the server answered with {found!r}")
        return found

    def probe(
        self,
        network: Network,
        features: Sequence[int] | Mapping[str, Sequence[int]],
        loss: Loss | Json,
        *,
        convention: Convention = "row",
        seed: int = 0,
    ) -> Probe:
        """POST /v1/probe: a batch and parameters at which every known mistake shows; `features`: shape of one example."""
        named = models.ProbeRequestFeaturesType1
        body = models.ProbeRequest(
            network=described(network),
            features=named.from_dict(dict(features)) if isinstance(features, Mapping) else list(features),
            loss=sent(loss),
            convention=convention,
            seed=seed,
            encoding="base64",
        )
        return read(Probe, make_probe.sync(client=self._api, body=body))


def _problem(network: Network | None, batch: Batch, options: Options) -> dict[str, Any]:
    """The members of a request that every problem has, as the generated models."""
    members = members_of(network, options)
    members["batch"] = models.Batch(**{name: tensor(value) for name, value in batch.items()})
    return members


def _submission(submission: Gradients | Json) -> models.Submission:
    """The tensors of a submission, encoded; of an answer, those that can be compared."""
    if isinstance(submission, Gradients):
        submission = {name: getattr(submission, name) for name in _COMPARED}
    found = models.Submission()
    for name, value in submission.items():
        if name in ("output", "input_gradient") and value is not None:
            setattr(found, name, tensor(value))
        elif name == "gradients" and value:
            found.gradients = encoded_by_layer(value)
        elif isinstance(value, Mapping) and value:
            setattr(found, name, encoded_by_name(value))
        elif value is not None and not isinstance(value, Mapping):
            setattr(found, name, value)
    return found


def _vector(vector: ArrayLike | Direction | Json) -> Any:
    if isinstance(vector, Direction):
        vector = {"parameters": vector.parameters, "inputs": vector.inputs}
    if not isinstance(vector, Mapping):
        return encoded(vector)
    direction = models.Direction()
    if vector.get("parameters"):
        direction.parameters = encoded_by_layer(vector["parameters"])
    if vector.get("inputs") is not None:
        direction.inputs = tensor(vector["inputs"])
    return direction


def _optimizer_state(state: OptimizerState) -> models.OptimizerState:
    slots, scalars = models.OptimizerStateSlots(), models.OptimizerStateScalars()
    slots.additional_properties = {name: encoded_by_layer(slot) for name, slot in state.slots.items()}
    scalars.additional_properties = dict(state.scalars)
    return models.OptimizerState(step=state.step, slots=slots, scalars=scalars)


def _listed(names: Sequence[Any] | None) -> Any:
    return UNSET if names is None else list(names)
