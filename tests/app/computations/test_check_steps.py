"""Updates in POST /v1/check: hand-written programs with one mistake, and the answer that names it."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import numpy as np
import pytest

from app.computations.check.examples import CHECK
from app.examples import CLASSES, XOR
from core.optimizers import OPTIMIZERS
from tests.core.checking import updates
from tests.core.checking.updates import RATE, START, adam, gradients, momentum, problem, run, squares, written
from tests.systems.network import post

ADAM = {"kind": "adam", "learning_rate": RATE}
COARSE = {**ADAM, "epsilon": 1e-3}
SGD = {"kind": "sgd", "learning_rate": RATE}
VELOCITY = {**SGD, "momentum": 0.9}
NESTEROV = {**VELOCITY, "nesterov": True, "variant": "ruder"}
RMSPROP = {"kind": "rmsprop", "learning_rate": RATE, "alpha": 0.9, "epsilon": 1e-4}
ADAGRAD = {"kind": "adagrad", "learning_rate": RATE, "epsilon": 1e-4}

MISTAKES: list[tuple[str, dict[str, Any], list[list[Any]], int]] = [
    ("bias-correction-without-power", ADAM, run(adam(power=False)), 2),
    ("bias-correction-multiplied", ADAM, run(adam("multiply", "multiply")), 1),
    ("bias-correction-of-first-moment-multiplied", ADAM, run(adam("multiply")), 1),
    ("bias-correction-left-out", ADAM, run(adam("leave", "leave")), 1),
    ("bias-correction-of-second-moment-left-out", ADAM, run(adam(second="leave")), 1),
    ("bias-correction-in-place", ADAM, run(adam(in_place=True)), 2),
    ("counted-twice", ADAM, run(adam(ahead=1)), 1),
    ("epsilon-inside-root", COARSE, run(adam(epsilon="inside", size=1e-3)), 1),
    ("epsilon-left-out", COARSE, run(adam(epsilon="none", size=1e-3)), 1),
    ("root-left-out", ADAM, run(adam(root=False)), 1),
    ("one-minus-beta-left-out", ADAM, run(adam(scaled=False)), 1),
    ("betas-swapped", ADAM, run(adam(betas=(0.999, 0.9))), 2),
    ("decay-with-wrong-sign", {**ADAM, "weight_decay": 0.1}, run(adam(decay=-0.1)), 1),
    ("decay-decoupled", {**ADAM, "weight_decay": 0.1}, run(adam(decay=0.1, couple=False)), 1),
    ("decay-coupled", {**ADAM, "kind": "adamw", "weight_decay": 0.1}, run(adam(decay=0.1)), 1),
    ("one-minus-momentum", VELOCITY, run(momentum(0.1)), 1),
    ("one-minus-momentum-twice", VELOCITY, run(momentum(0.1, 0.1)), 1),
    ("stale-velocity", VELOCITY, run(momentum(stale=True)), 1),
    ("stale-velocity and one-minus-momentum-twice", VELOCITY, run(momentum(0.1, 0.1, stale=True)), 1),
    ("velocity-with-wrong-sign", VELOCITY, run(momentum(keep=-1.0)), 2),
    ("momentum-factor-left-out", VELOCITY, run(momentum(mu=1.0)), 2),
    ("momentum-left-out", VELOCITY, run(momentum(mu=0.0)), 2),
    ("interim-step-kept", NESTEROV, updates.nesterov_with_interim(), 2),
    ("average-started-at-square", RMSPROP, run(squares(start="square")), 1),
    ("root-left-out", RMSPROP, run(squares(root=False)), 1),
    ("gradient-summed", SGD, run(momentum(5.0, mu=0.0)), 1),
    ("wrong-step-length", SGD, run(momentum(0.37, mu=0.0)), 1),
]


@pytest.mark.parametrize(
    ("cause", "optimizer", "sent", "step"), MISTAKES, ids=[f"{n}-{m[0]}" for n, m in enumerate(MISTAKES)]
)
def test_the_mistake_of_an_update_is_named(
    client: httpx.Client, cause: str, optimizer: dict[str, Any], sent: list[list[Any]], step: int
) -> None:
    report = post(client, "/v1/check", **problem(optimizer, sent))
    assert report["verdict"] == "wrong"
    (blame,) = report["blame"]
    assert (blame["cause"], blame["certainty"], blame["step"]) == (cause, "exact", step)
    assert blame["tensor"] == "step.parameters"
    assert f"from step {step} on, in every parameter" in report["summary"]
    wrong = {row["step"] for row in report["tensors"] if row["status"] == "wrong"}
    assert min(wrong) == step


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_step_uphill_has_two_readings_until_the_state_is_sent(client: httpx.Client, sign: float) -> None:
    """The sign of the gradient and that of the learning rate are the same parameters, but not the same velocity."""
    body = problem(VELOCITY, run(momentum(sign=-1.0), 2))
    (blame,) = post(client, "/v1/check", **body)["blame"]
    assert blame["certainty"] == "ambiguous"
    causes = {blame["cause"], *(each["cause"] for each in blame["evidence"]["alternatives"])}
    assert causes == {"gradient-with-wrong-sign", "step-uphill"}
    one = gradients(START)
    velocity = [sign * g for g in one]
    moved = [array + RATE * g for array, g in zip(START, one, strict=True)]
    state = {"step": 1, "slots": {"velocity": written(velocity)}}
    body["submission"] = {"step": {"optimizer": VELOCITY, "parameters": written(moved), "optimizer_state": state}}
    (blame,) = post(client, "/v1/check", **body)["blame"]
    assert (blame["cause"], blame["certainty"]) == ("step-uphill" if sign > 0 else "gradient-with-wrong-sign", "exact")


FORMS: list[tuple[str, dict[str, Any], list[list[Any]]]] = [
    ("ruder-form", {**NESTEROV, "variant": "torch"}, updates.nesterov()),
    ("ruder-form", RMSPROP, run(squares(epsilon="inside"))),
    ("ruder-form", ADAGRAD, run(squares(epsilon="inside", average=False))),
    ("torch-form", {**ADAGRAD, "variant": "ruder"}, run(squares(average=False))),
    ("keras-form", COARSE, run(adam(epsilon="keras", size=1e-3))),
    ("keras-form", ADAGRAD, run(squares(start="tenth", epsilon="inside", average=False))),
]


@pytest.mark.parametrize(("form", "optimizer", "sent"), FORMS, ids=[f"{n}-{f[0]}" for n, f in enumerate(FORMS)])
def test_a_form_of_another_book_is_no_mistake(
    client: httpx.Client, form: str, optimizer: dict[str, Any], sent: list[list[Any]]
) -> None:
    report = post(client, "/v1/check", **problem(optimizer, sent))
    assert report["verdict"] == "equivalent-layout", report["summary"]
    assert [each["cause"] for each in report["not_mistakes"]] == [form]
    assert report["blame"] == []


def test_weights_alone_may_be_decayed(client: httpx.Client) -> None:
    theta = [array.copy() for array in START]
    for number, (array, g) in enumerate(zip(theta, gradients(START), strict=True)):
        array -= RATE * (g + (0.1 * array if number in (0, 2) else 0))
    report = post(client, "/v1/check", **problem({**SGD, "weight_decay": 0.1}, [theta]))
    assert report["verdict"] == "equivalent-layout"
    assert [each["cause"] for each in report["not_mistakes"]] == ["decay-of-weights-alone"]


RIGHT: list[tuple[dict[str, Any], list[list[Any]]]] = [
    (ADAM, run(adam())),
    (VELOCITY, run(momentum())),
    (NESTEROV, updates.nesterov()),
    (RMSPROP, run(squares())),
    (ADAGRAD, run(squares(average=False))),
    ({**ADAM, "weight_decay": 0.1}, run(adam(decay=0.1))),
    ({**ADAM, "kind": "adamw", "weight_decay": 0.1}, run(adam(decay=0.1, couple=False))),
]


@pytest.mark.parametrize(("optimizer", "sent"), RIGHT, ids=[str(number) for number in range(len(RIGHT))])
@pytest.mark.parametrize("kept", ["float64", "float32", "digits"])
def test_a_right_program_is_right(
    client: httpx.Client, optimizer: dict[str, Any], sent: list[list[Any]], kept: str
) -> None:
    """In float64, in numbers stored as float32, and printed with six decimal places."""
    ways: dict[str, Any] = {"float64": np.float64, "float32": np.float32, "digits": lambda array: np.round(array, 6)}
    keep = ways[kept]
    sent = [[np.asarray(keep(array), np.float64) for array in theta] for theta in sent]
    report = post(client, "/v1/check", **problem(optimizer, sent))
    assert report["verdict"] == "correct", report["summary"]


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("variant", ["torch", "ruder"])
@pytest.mark.parametrize("body", [XOR, CLASSES], ids=["xor", "classes"])
def test_the_answer_of_step_is_a_submission_and_correct(
    client: httpx.Client, kind: str, variant: str, body: dict[str, Any]
) -> None:
    optimizer = {
        "kind": kind,
        "learning_rate": 0.01,
        "variant": variant,
        "weight_decay": 0.01,
        "gradient_clip_norm": 0.05,
    }
    answer = post(client, "/v1/step", **body, optimizer=optimizer, steps=3)
    report = post(client, "/v1/check", **body, submission={"step": {**answer, "optimizer": optimizer}})
    assert report["verdict"] == "correct", report["summary"]
    once = post(client, "/v1/step", **{**body, "parameters": answer["parameters"]}, optimizer=optimizer,
                optimizer_state=answer["optimizer_state"])  # fmt: skip
    step = {"optimizer": optimizer, "steps": [answer, once]}
    report = post(client, "/v1/check", **body, submission={"step": step})
    assert report["verdict"] == "correct", report["summary"]
    assert {row["step"] for row in report["tensors"]} == {3, 4}


@pytest.mark.parametrize("convention", ["column", "torch"])
def test_other_conventions(client: httpx.Client, convention: str) -> None:
    body = problem(ADAM, run(adam(power=False), 2))
    step = body["submission"]["step"]
    for named in (body["parameters"], *(each["parameters"] for each in step["steps"])):
        for layer in named.values():
            layer["weight"] = np.transpose(layer["weight"]).tolist()
    if convention == "column":
        body["batch"] = {name: np.transpose(array).tolist() for name, array in body["batch"].items()}
    body["convention"] = convention
    report = post(client, "/v1/check", **body)
    assert [blame["cause"] for blame in report["blame"]] == ["bias-correction-without-power"]
    (row,) = [
        row
        for row in report["tensors"]
        if (row["step"], row["layer"], row["tensor"]) == (2, "1", "step.parameters.weight")
    ]
    unit, feature = row["worst"]["index"]
    assert row["worst"]["yours"] == step["steps"][1]["parameters"]["1"]["weight"][unit][feature]


def test_one_layer_with_a_mistake_is_located(client: httpx.Client) -> None:
    sent, other = run(momentum(), 1)[0], run(momentum(sign=-1.0), 1)[0]
    (blame,) = post(client, "/v1/check", **problem(VELOCITY, [[other[0], *sent[1:]]]))["blame"]
    assert (blame["layer"], blame["tensor"]) == ("1", "step.parameters.weight")
    assert "the weight of layer '1'" in blame["why"]


@pytest.mark.parametrize("seed", [5, 8, 13, 22])
@pytest.mark.parametrize("kind", ["rmsprop", "adagrad"])
def test_a_gradient_below_its_rounding_accuses_nobody(client: httpx.Client, kind: str, seed: int) -> None:
    """Both optimizers divide the gradient by its size, so that a rounding error becomes a step of full length."""
    report = post(client, "/v1/check", **updates.saturated(kind, seed))
    assert report["verdict"] == "correct", report["summary"]


@pytest.mark.parametrize(("optimizer", "mu"), [(SGD, 0.0), (VELOCITY, 0.9)], ids=["sgd", "momentum"])
def test_weights_that_are_updated_before_the_error_comes_back(
    client: httpx.Client, optimizer: dict[str, Any], mu: float
) -> None:
    (blame,) = post(client, "/v1/check", **problem(optimizer, updates.layer_by_layer(2, mu)))["blame"]
    assert (blame["cause"], blame["step"]) == ("updated-weights-used", 1)
    assert (blame["layer"], blame["certainty"]) == ("1", "exact")


def test_every_parameter_wrong_in_another_way_has_no_cause(client: httpx.Client) -> None:
    """Four parameters with four known mistakes: so many causes explain anything."""
    ways = [momentum(sign=-1.0), momentum(2.0), momentum(5.0), momentum(0.1)]
    theta = [run(way, 1)[0][number] for number, way in enumerate(ways)]
    blames = post(client, "/v1/check", **problem(VELOCITY, [theta]))["blame"]
    assert len({blame["cause"] for blame in blames} - {"unknown"}) <= 2
    assert [blame["certainty"] for blame in blames if blame["cause"] == "unknown"] == ["located"]


def test_a_bias_that_fits_a_mistake_by_chance_is_not_named(client: httpx.Client) -> None:
    """The two numbers of a bias are no evidence where their layer is wrong in an unknown way."""
    right, other = run(momentum(mu=0.0), 1)[0], run(momentum(sign=-1.0, mu=0.0), 1)[0]
    wrong = [right[0], right[1], right[2] + 0.01 * np.sin(np.arange(8).reshape(4, 2)), other[3]]
    (blame,) = post(client, "/v1/check", **problem(SGD, [wrong]))["blame"]
    assert (blame["layer"], blame["cause"], blame["certainty"]) == ("2", "unknown", "located")


def test_a_large_network_is_answered_within_the_effort(client: httpx.Client) -> None:
    """An unknown mistake in 100,000 parameters: located, and the answer says that the search ended early."""
    rng = np.random.default_rng(0)
    W, b, V, c = rng.standard_normal((784, 128)) / 28, np.zeros(128), rng.standard_normal((128, 10)) / 11, np.zeros(10)
    body = problem(ADAM, [])
    body["network"]["layers"] = [{"kind": "dense", "units": 128, "activation": "tanh"}, {"kind": "dense", "units": 10}]
    body["parameters"] = written([W, b, V, c])
    body["batch"] = {"inputs": rng.random((64, 784)).tolist(), "targets": rng.standard_normal((64, 10)).tolist()}
    moved = [written([W + 1e-3 * k * rng.standard_normal(W.shape), b, V, c]) for k in (1, 2)]
    body["submission"]["step"]["steps"] = [{"parameters": each} for each in moved]
    report = post(client, "/v1/check", **body)
    assert (report["verdict"], report["partial"]) == ("wrong", True)
    assert "unknown" in {blame["cause"] for blame in report["blame"]}


def test_an_unknown_mistake_is_located_by_step_layer_and_parameter(client: httpx.Client) -> None:
    sent = run(momentum(), 2)
    sent[1][2] = sent[1][2] + 0.01 * np.sin(np.arange(8).reshape(4, 2))
    (blame,) = post(client, "/v1/check", **problem(VELOCITY, sent))["blame"]
    assert (blame["layer"], blame["tensor"], blame["step"]) == ("2", "step.parameters.weight", 2)
    assert (blame["cause"], blame["certainty"]) == ("unknown", "located")


def test_a_wrong_gradient_that_is_sent_is_not_counted_twice(client: httpx.Client) -> None:
    wrong = [3.3 * np.cos(g) for g in gradients(START)]
    moved = [array - RATE * g for array, g in zip(START, wrong, strict=True)]
    body = problem(SGD, [moved])
    assert post(client, "/v1/check", **body)["verdict"] == "wrong"
    body["submission"]["step"]["steps"][0]["gradients"] = written(wrong)
    assert post(client, "/v1/check", **body)["verdict"] == "correct"
    body = problem(SGD, [moved])
    body["submission"]["gradients"] = written(wrong)
    report = post(client, "/v1/check", **body)
    assert report["verdict"] == "wrong"
    assert report["blame"]
    assert not any(blame["tensor"].startswith("step") for blame in report["blame"])
    assert "follows from your parameters by the rule of sgd" in report["summary"]


def test_one_step_cannot_show_everything(client: httpx.Client) -> None:
    report = post(client, "/v1/check", **problem(ADAM, run(adam(power=False), 1)))
    assert report["verdict"] == "correct"
    (spot,) = [spot for spot in report["blind_spots"] if spot["cause"] == "bias-correction-without-power"]
    assert "send two steps" in spot["reason"]
    assert report["needs"] == ["step.steps"]


def test_a_bias_that_broadcasting_has_made_larger(client: httpx.Client) -> None:
    sent = run(momentum(), 1)[0]
    sent[1] = np.tile(sent[1], (5, 1))
    (blame,) = post(client, "/v1/check", **problem(VELOCITY, [sent]))["blame"]
    assert (blame["layer"], blame["tensor"], blame["cause"]) == ("1", "step.parameters.bias", "update-changes-shape")


def test_the_fix_runs_and_gives_the_right_step(client: httpx.Client) -> None:
    (blame,) = post(client, "/v1/check", **problem(ADAM, run(adam("multiply", "multiply"), 1)))["blame"]
    right = run(adam(), 1)[0]
    for theta, g, expected in zip(START, gradients(START), right, strict=True):
        scope = {"np": np, "theta": theta, "g": g, "learning_rate": RATE, "first_moment": 0 * g, "second_moment": 0 * g}
        exec(blame["fix"]["numpy"], scope)  # The answer promises that it runs.
        np.testing.assert_allclose(scope["theta"], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"steps": None}, "invalid-request", "#/submission/step"),
        ({"parameters": written(START)}, "invalid-request", "#/submission/step"),
        ({"optimizer": {"kind": "adan"}}, "unknown-name", "#/submission/step/optimizer/kind"),
        ({"optimizer_state_before": {"slots": {"speed": {}}}}, "unknown-name",
         "#/submission/step/optimizer_state_before/slots/speed"),
        ({"steps": [{"parameters": {"3": {"weight": [1]}}}]}, "unknown-name",
         "#/submission/step/steps/0/parameters/3"),
        ({"steps": [{"step": 2, "parameters": written(START)}, {"step": 1, "parameters": written(START)}]},
         "invalid-request", "#/submission/step/steps/1/step"),
    ],
)  # fmt: skip
def test_bad_updates_are_refused_with_their_place(
    client: httpx.Client, change: dict[str, Any], code: str, pointer: str
) -> None:
    body = copy.deepcopy(problem(ADAM, run(adam(), 1)))
    body["submission"]["step"] |= change
    response = client.post("/v1/check", json=body)
    assert response.status_code == 422, response.text
    errors = response.json()["errors"]
    assert (errors[0]["code"], errors[0]["pointer"]) == (code, pointer)


def test_the_example_of_the_documentation(client: httpx.Client) -> None:
    (blame,) = post(client, "/v1/check", **CHECK["step"]["value"])["blame"]
    assert (blame["cause"], blame["certainty"]) == ("gradient-summed", "exact")
