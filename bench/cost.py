"""The estimated cost of a request beside the processor time that it takes in process, for requests of very different kinds.

Run it with `python -m bench.cost`. *rate* is the number of estimated operations per second: `RATE` of `core/operations.py` is
about the median, and *ratio* is the predicted time divided by the measured one.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import time
from typing import Any

import numpy as np

from app.computations.check.cost import check_cost
from app.computations.check.probe import find_probe
from app.computations.check.probe_cost import probe_cost
from app.computations.check.probe_schemas import ProbeRequest
from app.computations.check.schemas import CheckRequest
from app.computations.check.service import check_submission
from app.computations.explain.cost import explain_cost
from app.computations.explain.schemas import ExplainRequest
from app.computations.explain.service import explain_problem
from app.computations.gradients.cost import forward_cost, gradients_cost
from app.computations.gradients.schemas import ForwardRequest, GradientsRequest
from app.computations.gradients.service import compute_forward, compute_gradients
from app.computations.invert.cost import invert_cost
from app.computations.invert.schemas import InvertRequest
from app.computations.invert.service import invert_network
from app.computations.jacobian.cost import jacobian_cost
from app.computations.jacobian.schemas import JacobianRequest
from app.computations.jacobian.service import compute_jacobian
from app.computations.products.cost import product_cost
from app.computations.products.schemas import ProductsRequest
from app.computations.products.service import compute_product
from app.computations.step.cost import step_cost
from app.computations.step.schemas import StepRequest
from app.computations.step.service import take_steps
from app.http.forms import FormCache
from app.http.operation import Operation, Server, Wanted
from app.settings import Settings
from app.wire.encode import encode
from bench._stopwatch import readable
from core.cost import Cost
from core.operations import RATE

OPERATIONS: dict[str, Operation[Any]] = {
    "forward": Operation(ForwardRequest, compute_forward, cost=forward_cost),
    "gradients": Operation(GradientsRequest, compute_gradients, cost=gradients_cost),
    "step": Operation(StepRequest, take_steps, cost=step_cost),
    "jacobian": Operation(JacobianRequest, compute_jacobian, cost=jacobian_cost),
    "products": Operation(ProductsRequest, compute_product, cost=product_cost),
    "explain": Operation(ExplainRequest, explain_problem, cost=explain_cost),
    "check": Operation(CheckRequest, check_submission, cost=check_cost),
    "probe": Operation(ProbeRequest, find_probe, cost=probe_cost),
    "invert": Operation(InvertRequest, invert_network, cost=invert_cost),
}

Case = tuple[str, str, dict[str, Any]]


def problem(layers: list[dict[str, Any]], shape: tuple[int, ...], **more: Any) -> dict[str, Any]:
    """Return the fields of a request with inputs of a shape, parameters from a seed, and the output itself as the loss."""
    draw = np.random.default_rng(0)
    fields = {
        "network": {"layers": layers},
        "seed": 1,
        "batch": {"inputs": draw.standard_normal(shape)},
        "include": ["loss"],
        **more,
    }
    if "loss" not in fields:
        output = answer_shape(fields)
        fields["loss"] = {"kind": "half_squared_error"}
        fields["batch"] = {**fields["batch"], "targets": draw.random(output)}
    return fields


def answer_shape(fields: dict[str, Any]) -> tuple[int, ...]:
    """Return the shape of the output of a problem."""
    from core.shape_inference import infer_shapes

    body = {name: fields[name] for name in ("network", "seed", "batch")}
    read = OPERATIONS["forward"].read(encode(body), "json")
    asked = ForwardRequest.model_validate(read.values)
    inputs = fields["batch"]["inputs"].shape
    return infer_shapes(asked.network.layers, {"input": inputs}, {}, "row", seeded=True).nodes[-1].shape


def dense(*units: int, activation: str = "tanh") -> list[dict[str, Any]]:
    """Return dense layers."""
    return [{"kind": "dense", "units": each, "activation": activation} for each in units]


def conv(filters: int, kernel: int) -> dict[str, Any]:
    """Return a convolution with an activation function."""
    return {"kind": "conv2d", "filters": filters, "kernel_size": kernel, "activation": "relu"}


def flat(*units: int) -> list[dict[str, Any]]:
    """Return dense layers over flat features."""
    return [{"kind": "flatten"}, *dense(*units)]


def lstm(units: int, **more: Any) -> dict[str, Any]:
    """Return an lstm layer."""
    return {"kind": "lstm", "units": units, **more}


def cases() -> list[Case]:
    """Return the requests by name."""
    adam = {"kind": "adam"}
    square: list[dict[str, Any]] = [{"kind": "dense", "units": 1500}, {"kind": "svd"}]
    attention: list[dict[str, Any]] = [{"kind": "multi_head_attention", "heads": 8}]
    small, xor = problem(dense(3, 1), (4, 2)), problem(dense(8, 1), (16, 4))
    wide = problem(dense(64, 32, 8), (32, 40))
    return [
        ("dense 2-3-1", "gradients", small),
        ("dense 1,000 x 4", "gradients", problem(dense(*[1000] * 4), (2000, 100))),
        ("dense 1,700 x 3, one example", "gradients", problem(dense(*[1700] * 3), (1, 1700))),
        ("dense, all parts", "gradients", problem(dense(500, 500), (400, 100), include=["activations", "gradients"])),
        ("dense, certificate", "gradients", problem(dense(*[600] * 3), (1000, 100), verify=True)),
        ("dense, per example", "gradients", problem(dense(60, 60), (200, 60), include=["per_example_gradients"])),
        ("dense, 100,000 x 20", "forward", problem(dense(20, 20), (20000, 20))),
        ("conv2d 32 x 3 x 3", "gradients", problem([conv(32, 3), conv(32, 3), *flat(10)], (16, 3, 40, 40))),
        ("conv2d, max_pool2d", "gradients", problem([conv(16, 5), {"kind": "max_pool2d", "size": 2}], (8, 3, 96, 96))),
        ("conv_transpose2d", "gradients", problem([{**conv(16, 4), "kind": "conv_transpose2d"}], (16, 16, 32, 32))),
        ("lstm, 2,000 time steps", "gradients", problem([lstm(64)], (8, 2000, 8))),
        ("lstm, one unit, 20,000 time steps", "gradients", problem([lstm(1)], (1, 20000, 1))),
        (
            "gru, both directions",
            "gradients",
            problem([{**lstm(64), "kind": "gru", "bidirectional": True}], (32, 300, 32)),
        ),
        ("attention", "gradients", problem(attention, (8, 256, 64))),
        ("batch_norm, layer_norm", "gradients", problem([{"kind": "batch_norm"}, {"kind": "layer_norm"}], (2000, 200))),
        ("svd of 1,500 x 1,500", "forward", problem(square, (1500, 10))),
        ("svd of 500 matrices", "gradients", problem([{"kind": "svd"}], (500, 30, 20))),
        ("second_order_pooling", "gradients", problem([{"kind": "second_order_pooling"}], (100, 64, 48))),
        ("initial parameters", "forward", problem(dense(2000, 2000, 1), (1, 100))),
        ("step, 5,000 times", "step", problem(dense(8, 1), (16, 4), optimizer=adam, steps=5000)),
        ("step, minibatches", "step", problem(dense(256, 64), (2000, 64), optimizer=adam, steps=200, batch_size=64)),
        ("jacobian of the output", "jacobian", problem(dense(100, 40), (40, 30))),
        ("hvp", "products", problem(dense(*[500] * 3), (300, 60), kind="hvp", vector={"parameters": {}})),
        ("vjp", "products", problem(dense(*[500] * 3), (300, 60), kind="vjp", vector=np.ones((300, 500)))),
        ("invert", "invert", {**problem(dense(200, 60), (40, 300)), "targets": np.full((40, 60), 0.1)}),
        ("invert, infeasible", "invert", {**problem(dense(60, 20), (10, 80)), "targets": np.full((10, 20), 0.9)}),
        ("explain", "explain", small),
        ("explain, lstm of 20 steps", "explain", problem([lstm(2)], (2, 20, 2))),
        ("check of itself", "check", xor),
        ("check of itself, larger", "check", wide),
        ("check, wrong", "check", with_wrong_gradients(xor)),
        ("check, wrong, larger", "check", with_wrong_gradients(wide)),
        ("probe", "probe", probe([*dense(8, 1)], [4])),
        ("probe of a conv2d", "probe", probe([conv(4, 3), *flat(3)], [1, 8, 8])),
    ]


def probe(layers: list[dict[str, Any]], features: list[int]) -> dict[str, Any]:
    """Return the fields of a request for a probe."""
    return {"network": {"layers": layers}, "features": features, "loss": {"kind": "half_squared_error"}}


def with_wrong_gradients(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a request for a check with deltas and gradients that no known mistake gives."""
    operation = OPERATIONS["gradients"]
    wanted = {**fields, "include": ["loss", "activations", "deltas", "gradients"]}
    asked = operation.read(encode(wanted), "json")
    server = new_server()
    body = GradientsRequest.model_validate(asked.values)
    answer = operation.compute(body, server.settings, lambda: None)
    if not isinstance(answer, dict):
        raise TypeError("the gradients are not an answer of JSON")
    wrong = {layer: {name: a**3 + 0.1 for name, a in named.items()} for layer, named in answer["gradients"].items()}
    deltas = {name: np.sin(array) + 0.1 for name, array in answer["deltas"].items()}
    submission = {"activations": answer["activations"], "deltas": deltas, "gradients": wrong}
    return {**fields, "submission": submission, "parameters": answer["parameters"], "seed": 1}


def new_server() -> Server:
    """Return a server without a cache of forms."""
    return Server(Settings(max_operations=1e15, max_memory_bytes=2**40, max_seconds=300.0), FormCache(0))


def measure(kind: str, fields: dict[str, Any]) -> tuple[float, float, int]:
    """Return the operations that are estimated, the seconds that the request takes, and its estimated bytes."""
    operation, server = OPERATIONS[kind], new_server()
    body = encode(fields)
    asked = operation.model.model_validate(operation.read(body, "json").values)
    cost = operation.cost(asked, server.settings) if operation.cost else Cost()
    seconds = []
    for _ in range(2):
        start = time.process_time()
        operation.answer(operation.read(body, "json"), None, Wanted("json", None), server, lambda: None)
        seconds.append(time.process_time() - start)
    return cost.operations, min(seconds), cost.bytes


def main() -> None:
    """Print the table."""
    print(f"{'request':<36}{'operations':>12}{'bytes':>10}{'measured':>12}{'predicted':>12}{'rate':>10}{'ratio':>8}")
    rates = []
    for name, kind, fields in cases():
        operations, seconds, size = measure(kind, fields)
        rates.append(operations / seconds)
        print(
            f"{name:<36}{operations:>12.2e}{size:>10.1e}{readable(seconds):>12}{readable(operations / RATE):>12}"
            f"{rates[-1]:>10.1e}{operations / RATE / seconds:>8.2f}",
            flush=True,
        )
    print(f"median rate {statistics.median(rates):.2g} operations per second")


if __name__ == "__main__":
    main()
