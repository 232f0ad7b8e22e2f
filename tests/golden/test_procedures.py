"""The published examples that are procedures: training runs, circuits, seeded arrays. A test is named after its case."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np

from core.plan import Plan, Retain
from tests.golden.cases import CASES, expected, problem_of, request_of


def plan_of(name: str) -> Plan:
    return problem_of(name).plan(retain=Retain(deltas=True))


def descend(plan: Plan, steps: int, learning_rate: float, *, biases: bool = False) -> None:
    """Plain gradient descent, all gradients from the old weights."""
    for _ in range(steps):
        plan.forward()
        plan.backward()
        for layer, gradients in plan.gradients.gradients.items():
            for name, gradient in gradients.items():
                if name == "weight" or biases:
                    plan.parameters[layer][name][...] -= learning_rate * gradient


def descend_stale(plan: Plan, steps: int, learning_rate: float) -> None:
    """The same with Mazur's mistake: the hidden delta goes through the weights that were just updated."""
    for _ in range(steps):
        plan.forward()
        plan.backward()
        plan.parameters["2"]["weight"][...] -= learning_rate * plan.gradients.gradients["2"]["weight"]
        hidden = plan.activations["1"]
        stale = plan.gradients.deltas["2"] @ plan.parameters["2"]["weight"].T * hidden * (1 - hidden)
        plan.parameters["1"]["weight"][...] -= learning_rate * plan.inputs["input"].T @ stale


def test_mazur_2015_update() -> None:
    plan = plan_of("mazur_2015_update")
    descend(plan, 1, 0.5)
    for check, layer in (("W2+", "2"), ("W1+", "1")):
        value, tolerance = expected("mazur_2015_update", check)
        np.testing.assert_allclose(plan.parameters[layer]["weight"].T, value, rtol=0, atol=tolerance)


def test_mazur_2015_E_after_step_as_printed() -> None:
    """A negative control: correct gradients do not lead to the printed error."""
    name = "mazur_2015_E_after_step_as_printed"
    plan = plan_of(name)
    descend(plan, 1, 0.5)
    plan.forward()
    value, tolerance = expected(name, "E after 1 step")
    assert abs(plan.loss.total - value) > tolerance
    np.testing.assert_allclose(plan.loss.total, 0.291027774, atol=6e-10)
    descend(plan, 9999, 0.5)
    plan.forward()
    value, tolerance = expected(name, "out after 10000")
    assert np.abs(plan.output - value).max() > tolerance
    np.testing.assert_allclose(plan.output[0], [0.0159136, 0.9840643], atol=6e-8)


def test_mazur_2015_stale_reproduction() -> None:
    name = "mazur_2015_stale_reproduction"
    plan = plan_of(name)
    for check, steps in (("E after 1 step", 1), ("E after 10000 (one copy prints 0.000035085)", 9999)):
        descend_stale(plan, steps, 0.5)
        plan.forward()
        value, tolerance = expected(name, check)
        np.testing.assert_allclose(plan.loss.total, value, rtol=0, atol=tolerance)
    value, tolerance = expected(name, "out after 10000")
    np.testing.assert_allclose(plan.output, value, rtol=0, atol=tolerance)


def test_trask_2layer() -> None:
    name = "trask_2layer"
    plan = plan_of(name)
    plan.forward()
    for check, array in (("syn0 before", plan.parameters["1"]["weight"]), ("l1 before training", plan.output)):
        value, tolerance = expected(name, check)
        np.testing.assert_allclose(array[:, 0], value, rtol=0, atol=tolerance)
    descend(plan, 9_999, 1.0)
    plan.forward()
    value, tolerance = expected(name, "l1 at the last of 10000 iterations")
    np.testing.assert_allclose(plan.output[:, 0], value, rtol=0, atol=tolerance)
    descend(plan, 1, 1.0)
    value, tolerance = expected(name, "syn0 after 10000 updates")
    np.testing.assert_allclose(plan.parameters["1"]["weight"][:, 0], value, rtol=0, atol=tolerance)


def test_quantinsti_2018_layer2(client: httpx.Client) -> None:
    """σ' formed from the answer's activation, as the source does; its own rounding is in the tolerance."""
    name = "quantinsti_2018_layer2"
    answer = client.post("/v1/gradients", json=request_of(CASES[name])).json()
    activation = answer["activations"]["1"][0][0]
    value, tolerance = expected(name, "sigma'(z3_1) = 0.7333(1-0.733)")
    np.testing.assert_allclose(activation * (1 - activation), value[0], rtol=0, atol=tolerance)


def test_nielsen_ch3_w06() -> None:
    name = "nielsen_ch3_w0.6"
    plan = plan_of(name)
    plan.forward()
    value, tolerance = expected(name, "initial output")
    np.testing.assert_allclose(plan.output, value, rtol=0, atol=tolerance)
    descend(plan, 300, 0.15, biases=True)
    plan.forward()
    value, tolerance = expected(name, "output after 300 epochs")
    np.testing.assert_allclose(plan.output, value, rtol=0, atol=tolerance)


def test_cs231n_affine_backward(client: httpx.Client) -> None:
    name = "cs231n_affine_backward"
    random = np.random.RandomState(231)
    x, w, b, dout = random.randn(2, 3), random.randn(3, 2), random.randn(2), random.randn(2, 2)
    request = {
        "network": {"layers": [{"kind": "dense", "units": 2}]},
        "parameters": {"1": {"weight": w.tolist(), "bias": b.tolist()}},
        "batch": {"inputs": x.tolist(), "upstream": dout.tolist()},
        "loss": {"kind": "upstream"},
        "convention": "row",
        "include": ["gradients", "input_gradient"],
    }
    answer = client.post("/v1/gradients", json=request).json()
    for check, value in (
        ("dx", answer["input_gradient"]),
        ("dw", answer["gradients"]["1"]["weight"]),
        ("db", answer["gradients"]["1"]["bias"]),
    ):
        printed, tolerance = expected(name, check)
        np.testing.assert_allclose(value, printed, rtol=0, atol=tolerance)


def circuit(client: httpx.Client, layers: list[dict[str, Any]], inputs: dict[str, float]) -> dict[str, Any]:
    request = {
        "network": {"layers": layers},
        "batch": {"inputs": {name: [[value]] for name, value in inputs.items()}, "upstream": [[1.0]]},
        "loss": {"kind": "upstream"},
        "include": ["output", "activations", "deltas", "input_gradient"],
    }
    answer: dict[str, Any] = client.post("/v1/gradients", json=request).raise_for_status().json()
    return answer


def test_cs231n_circuit_xyz(client: httpx.Client) -> None:
    layers = [
        {"kind": "add", "inputs": ["x", "y"], "name": "q"},
        {"kind": "multiply", "inputs": ["q", "z"], "name": "f"},
    ]
    answer = circuit(client, layers, {"x": -2.0, "y": 5.0, "z": -4.0})
    values = {
        "f": answer["output"],
        "q": answer["activations"]["q"],
        "df/dq": answer["deltas"]["q"],
        **{f"df/d{name}": gradient for name, gradient in answer["input_gradient"].items()},
    }
    for name, value in values.items():
        assert value == [[expected("cs231n_circuit_xyz", name)[0]]], name


def test_cs231n_staged_fork(client: httpx.Client) -> None:
    """(x + σ(y)) / (σ(x) + (x + y)²), with the quotient as exp(log n − log d): every value is used where it forks."""
    layers = [
        {"kind": "activation", "function": "sigmoid", "inputs": ["y"], "name": "sy"},
        {"kind": "add", "inputs": ["x", "sy"], "name": "numerator"},
        {"kind": "activation", "function": "sigmoid", "inputs": ["x"], "name": "sx"},
        {"kind": "add", "inputs": ["x", "y"], "activation": "square", "name": "squared"},
        {"kind": "add", "inputs": ["sx", "squared"], "activation": "log", "name": "denominator"},
        {"kind": "activation", "function": "log", "inputs": ["numerator"], "name": "logarithm"},
        {"kind": "subtract", "inputs": ["logarithm", "denominator"], "activation": "exp", "name": "f"},
    ]
    answer = circuit(client, layers, {"x": 3.0, "y": -4.0})
    oracle = CASES["cs231n_staged_fork"]["oracle"]
    np.testing.assert_allclose(answer["output"], [[oracle["f"]]], rtol=1e-14)
    np.testing.assert_allclose(answer["input_gradient"]["x"], [[oracle["dx"]]], rtol=1e-14)
    np.testing.assert_allclose(answer["input_gradient"]["y"], [[oracle["dy"]]], rtol=1e-14)


def test_mathse_3048198(client: httpx.Client) -> None:
    """The asker's value, four times too large, is what one gets without the weights in the recursion."""
    case = CASES["mathse_3048198"]
    gradient = client.post("/v1/gradients", json=request_of(case)).json()["gradients"]["1"]["weight"]
    wrong, tolerance = expected("mathse_3048198", "asker's wrong value = 4x (forgot w4 w2)")
    np.testing.assert_allclose(np.multiply(gradient, 4), wrong, rtol=0, atol=4 * tolerance)


def test_cs231n_batchnorm_backward_N2(client: httpx.Client) -> None:
    case = CASES["cs231n_batchnorm_backward_N2"]["procedure"]
    legacy = np.random.RandomState(case["seed"])
    x = 5 * legacy.randn(2, 2) + 12
    gamma, beta, dout = legacy.randn(2), legacy.randn(2), legacy.randn(2, 2)
    problem = {
        "network": {"layers": [{"kind": "batch_norm", "epsilon": case["eps"]}]},
        "parameters": {"1": {"gamma": gamma.tolist(), "beta": beta.tolist()}},
        "batch": {"inputs": x.tolist(), "upstream": dout.tolist()},
        "loss": {"kind": "upstream"},
    }
    found = client.post("/v1/gradients", json=problem).raise_for_status().json()["gradients"]["1"]
    for name, key in (("dgamma", "gamma"), ("dbeta", "beta")):
        printed, tolerance = expected("cs231n_batchnorm_backward_N2", name)
        np.testing.assert_allclose(found[key], printed, rtol=0, atol=tolerance)


def stepped(client: httpx.Client, procedure: dict[str, Any], optimizer: dict[str, Any], slot: str, sign: float) -> Any:
    """A weight of 4 x 5 whose gradient is what the source gives: inputs I, upstream dw."""
    arrays = {}
    for name in ("w", "dw", "velocity", "cache"):
        if name in procedure:
            start, stop, count = (float(part) for part in procedure[name][9:-1].split(","))
            arrays[name] = np.linspace(start, stop, int(count)).reshape(4, 5)
    remembered = sign * arrays["velocity" if slot == "velocity" else "cache"]
    zeros = np.zeros((4, 5)).tolist()
    slots = {name: {"1": {"weight": zeros}} for name in ("mean", "velocity")} if slot == "squares" else {}
    problem = {
        "network": {"layers": [{"kind": "dense", "units": 5, "bias": False}]},
        "parameters": {"1": {"weight": arrays["w"].tolist()}},
        "batch": {"inputs": np.eye(4).tolist(), "upstream": arrays["dw"].tolist()},
        "loss": {"kind": "upstream"},
        "optimizer": {**optimizer, "learning_rate": procedure["lr"]},
        "optimizer_state": {"step": 1, "slots": {**slots, slot: {"1": {"weight": remembered.tolist()}}}},
    }
    answer = client.post("/v1/step", json=problem).raise_for_status().json()
    found = answer["optimizer_state"]["slots"][slot]["1"]["weight"]
    return answer["parameters"]["1"]["weight"], sign * np.array(found)


def assert_printed(case: str, check: str, found: Any) -> None:
    printed, tolerance = expected(case, check)
    np.testing.assert_allclose(found, printed, rtol=0, atol=tolerance)


def test_cs231n_sgd_momentum(client: httpx.Client) -> None:
    procedure = CASES["cs231n_sgd_momentum"]["procedure"]
    optimizer = {"kind": "sgd", "momentum": procedure["mu"], "variant": "ruder"}
    weight, velocity = stepped(client, procedure, optimizer, "velocity", -1)
    assert_printed("cs231n_sgd_momentum", "velocity", velocity)
    assert_printed("cs231n_sgd_momentum", "next_w", weight)


def test_cs231n_rmsprop(client: httpx.Client) -> None:
    procedure = CASES["cs231n_rmsprop"]["procedure"]
    optimizer = {"kind": "rmsprop", "alpha": procedure["decay"], "epsilon": procedure["eps"]}
    weight, cache = stepped(client, procedure, optimizer, "squares", 1)
    assert_printed("cs231n_rmsprop", "cache", cache)
    assert_printed("cs231n_rmsprop", "next_w", weight)
