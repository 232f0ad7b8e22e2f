"""POST /v1/explain: the program, the numbers, the focus, and the two documents."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import httpx
import numpy as np
import pytest

from app.examples import CLASSES, COLUMN, SKIP, XOR
from core.optimizers import OPTIMIZERS


def explained(client: httpx.Client, problem: dict[str, Any], **style: Any) -> dict[str, Any]:
    response = client.post("/v1/explain", json={**problem, "style": style})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("notation", ["delta", "factors"])
@pytest.mark.parametrize("problem", [XOR, COLUMN, CLASSES, SKIP], ids=["xor", "column", "classes", "skip"])
def test_the_program_gives_the_answer_of_gradients(
    client: httpx.Client, problem: dict[str, Any], notation: str
) -> None:
    answer = explained(client, problem, notation=notation)
    gradients = client.post("/v1/gradients", json=problem).json()["gradients"]
    if "seed" in problem:
        gradients = client.post("/v1/gradients", json=problem).json()["gradients"]
    found: dict[str, Any] = {}
    exec(answer["script"], found)
    lines = {step["id"]: step["numpy"].split(" = ")[0] for step in answer["steps"]}
    for layer, named in gradients.items():
        for name, gradient in named.items():
            np.testing.assert_allclose(found[lines[f"gradients.{layer}.{name}"]], gradient, rtol=1e-12, atol=1e-15)


def test_steps_come_in_order_and_read_what_is_there(client: httpx.Client) -> None:
    answer = explained(client, XOR)
    known = {"batch.inputs", "batch.targets", *(f"parameters.{layer}.{name}" for layer in ("1", "out") for name in
                                                ("weight", "bias"))}  # fmt: skip
    for step in answer["steps"]:
        assert set(step["depends_on"]) <= known, step["id"]
        known.add(step["id"])
        assert step["because"]
        assert step["mathml"].startswith("<math")
    assert [row["id"] for row in answer["shape_table"]] == [step["id"] for step in answer["steps"]]


def test_numbers_are_rounded_and_large_matrices_cut(client: httpx.Client) -> None:
    steps = {step["id"]: step for step in explained(client, XOR, digits=2, max_elements=6)["steps"]}
    assert r"0.51 \\ \vdots \\ 0.47" not in steps["activations.out"]["numbers"]
    assert r"\begin{pmatrix}0.51 \\ 0.48 \\ 0.5 \\ 0.47\end{pmatrix}" in steps["activations.out"]["numbers"]
    assert r"\vdots" in steps["activations.1"]["numbers"]
    assert "value" in steps["activations.out"]
    assert "value" not in steps["activations.1"]


def test_only_the_formats_that_were_asked_for(client: httpx.Client) -> None:
    step = explained(client, XOR, formats=["numpy"])["steps"][0]
    assert {"latex", "shapes", "numbers", "mathml", "text"} & set(step) == set()
    assert step["numpy"] == "Z_1 = X @ W_1 + b_1"


@pytest.mark.parametrize("convention", ["row", "column", "torch"])
@pytest.mark.parametrize("path", ["gradients.1.weight", "gradients.1.bias", "preactivations.2", "upstream.1"])
def test_the_terms_of_a_number_sum_to_it(client: httpx.Client, path: str, convention: str) -> None:
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((3, 2)), rng.standard_normal((3, 4))
    turned = convention == "column"
    problem = {
        "network": {"layers": [{"kind": "dense", "units": 5, "activation": "softmax"}, {"kind": "dense", "units": 4}]},
        "seed": 1,
        "batch": {
            "inputs": (inputs.T if turned else inputs).tolist(),
            "targets": (targets.T if turned else targets).tolist(),
        },
        "loss": {"kind": "half_squared_error"},
        "convention": convention,
    }
    answer = explained(client, problem, focus=f"{path}[1]" if path.endswith("bias") else f"{path}[1,0]")
    focus = answer["focus"]
    assert sum(term["value"] for term in focus["terms"]) == pytest.approx(focus["value"], rel=1e-12)
    assert sum(term["share"] for term in focus["terms"]) == pytest.approx(1)
    assert focus["dominant"] == max(focus["terms"], key=lambda term: term["share"])["of"]
    for term in focus["terms"]:
        if term["factors"]:
            assert np.prod(list(term["factors"].values())) == pytest.approx(term["value"], rel=1e-12)


@pytest.mark.parametrize(
    "focus", ["gradients.3.weight[0,0]", "gradients.1.weight[0]", "gradients.1.weight[9,9]", "x", "[", "loss[0]"]
)
def test_a_focus_that_is_no_number_is_refused_with_the_near_ones(client: httpx.Client, focus: str) -> None:
    response = client.post("/v1/explain", json={**XOR, "style": {"focus": focus}})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["pointer"] == "#/style/focus"
    assert error["expected"] is not None
    assert error["hint"]


def test_a_large_problem_is_derived_without_numbers(client: httpx.Client) -> None:
    problem = {
        "network": {"layers": [{"kind": "dense", "units": 300}]},
        "seed": 0,
        "batch": {"inputs": np.zeros((2, 100)).tolist(), "targets": np.ones((2, 300)).tolist()},
        "loss": {"kind": "half_squared_error"},
    }
    answer = explained(client, problem)
    assert "numbers-left-out" in [warning["code"] for warning in answer["warnings"]]
    assert not any("numbers" in step or "value" in step for step in answer["steps"])
    assert answer["shape_table"][0]["shapes"]["W_{1}"] == [100, 300]
    assert "request.json" in answer["script"]


class Page(HTMLParser):
    """Counts what a page has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)


def test_the_page_is_self_contained_and_escapes_names(client: httpx.Client) -> None:
    name = "<b>&amp;"
    problem = {**XOR, "network": {"layers": [{**XOR["network"]["layers"][0], "name": name}, XOR["network"]["layers"][1]]},
               "parameters": {name: XOR["parameters"]["1"], "out": XOR["parameters"]["out"]}}  # fmt: skip
    response = client.post("/v1/explain", json=problem, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    tags = Page(response.text).tags
    assert not {"script", "link", "img", "b", "iframe"} & set(tags)
    assert tags.count("math") >= 2 * tags.count("h3")
    assert "http" not in response.text.replace("http://www.w3.org", "")


def test_the_markdown_has_the_equations(client: httpx.Client) -> None:
    response = client.post("/v1/explain", json=XOR, headers={"Accept": "text/markdown"})
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert r"$$\underset{4 \times 3}{Z_{1}}" in response.text
    assert "```python\nZ_1 = X @ W_1 + b_1\n```" in response.text


def test_a_seed_a_graph_and_named_inputs(client: httpx.Client) -> None:
    problem = {
        "network": {"layers": [
            {"kind": "dense", "units": 2, "inputs": ["left"], "name": "a b"},
            {"kind": "dense", "units": 2, "inputs": ["right"], "name": "a_b"},
            {"kind": "add", "inputs": ["a b", "a_b"]},
            {"kind": "subtract", "inputs": ["3", "a b"]},
        ]},
        "seed": 3,
        "batch": {"inputs": {"left": [[1, 2]], "right": [[3, 4]]}, "targets": [[0, 1]]},
        "loss": {"kind": "half_squared_error"},
    }  # fmt: skip
    answer = explained(client, problem)
    by_id = {step["id"]: step for step in answer["steps"]}
    assert by_id["deltas.a b"]["because"].startswith("Several layers read this tensor")
    assert answer["parameters"]["a_b"]["weight"]


@pytest.mark.parametrize("rank", [1, 2, None])
def test_normalized_cuts_are_derived(client: httpx.Client, rank: int | None) -> None:
    F = np.random.default_rng(4).random((2, 4, 2)) + 0.1
    W = (F @ F.swapaxes(1, 2)).tolist()
    problem: dict[str, Any] = {
        "network": {"layers": [{"kind": "activation", "function": "identity"}]},
        "batch": {"inputs": W, "targets": [[0, 1, 1, 0], [1, 0, 1, 0]]},
        "loss": {"kind": "normalized_cuts", "rank": rank},
    }
    expected = client.post("/v1/gradients", json={**problem, "include": ["loss", "input_gradient"]}).json()
    values = {step["id"]: step.get("value") for step in explained(client, problem)["steps"]}
    np.testing.assert_allclose(values["loss"], expected["loss"], rtol=1e-11)
    np.testing.assert_allclose(values["input_gradient"], expected["input_gradient"], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("more", [{}, {"weight_decay": 0.1, "variant": "ruder"}, {"momentum": 0.9, "nesterov": True},
                                  {"amsgrad": True}, {"momentum": 0.5, "centered": True}])  # fmt: skip
def test_the_first_step_of_an_optimizer_is_derived(client: httpx.Client, kind: str, more: dict[str, Any]) -> None:
    fields = OPTIMIZERS[kind].__dataclass_fields__
    optimizer = {"kind": kind, **{name: value for name, value in more.items() if name in fields}}
    answer = explained(client, {**XOR, "optimizer": optimizer})
    stepped = client.post("/v1/step", json={**XOR, "optimizer": optimizer}).json()["parameters"]
    found: dict[str, Any] = {}
    exec(answer["script"], found)
    lines = {step["id"]: step["numpy"].split(" = ")[0] for step in answer["steps"]}
    for layer, named in stepped.items():
        for name, value in named.items():
            np.testing.assert_allclose(found[lines[f"update.{layer}.{name}"]], value, rtol=1e-12, atol=1e-15)


def test_a_rate_for_every_weight_is_derived(client: httpx.Client) -> None:
    optimizer = {"kind": "sgd", "learning_rate": {"out": {"weight": [[0.1], [0.2], [0.3]]}}}
    answer = explained(client, {**XOR, "optimizer": optimizer})
    stepped = client.post("/v1/step", json={**XOR, "optimizer": optimizer}).json()["parameters"]
    value = next(step["value"] for step in answer["steps"] if step["id"] == "update.out.weight")
    np.testing.assert_allclose(value, stepped["out"]["weight"], rtol=1e-14)
    refused = client.post("/v1/explain", json={**XOR, "optimizer": {"kind": "sgd", "gradient_clip_norm": 1.0}}).json()
    assert refused["errors"][0]["pointer"] == "#/optimizer/gradient_clip_norm"
