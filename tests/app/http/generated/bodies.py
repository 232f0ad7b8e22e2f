"""Bodies of the operations that take JSON: coherent ones, documented ones, and those that only the schema describes."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from typing import Any

from tests.app.http.generated.networks import dense_problem, problem_of_any_kind
from tests.app.http.generated.values import Values
from tests.server import examples

Body = dict[str, Any]


class Bodies:
    """Draws bodies of operations by their path."""

    def __init__(self, document: Mapping[str, Any], draw: random.Random) -> None:
        self.draw, self.values = draw, Values(document, draw)
        self.examples: dict[str, list[Body]] = {}
        for path, body in examples().values():
            self.examples.setdefault(path, []).append(body)
        self.models: list[str] = []
        """Ids of models that are stored."""

        self._make: dict[str, Callable[[Body], Body]] = {
            "/v1/jacobian": self._jacobian, "/v1/products": self._products, "/v1/step": self._step,
            "/v1/check": self._check, "/v1/invert": self._invert, "/v1/probe": self._probe, "/v1/models": self._model,
            "/v1/datasets": self._dataset, "/v1/jobs": self._job, "/v1/models/{id}": self._change,
        }  # fmt: skip

    def body(self, path: str, schema: Mapping[str, Any]) -> Any:
        """Return a body for the operation at a path."""
        draw, origin = self.draw, self.draw.random()
        if origin < 0.15 and path in self.examples:
            return copy.deepcopy(draw.choice(self.examples[path]))
        if origin < 0.35:
            return bounded(self.values.value(schema))
        problem = copy.deepcopy(problem_of_any_kind(draw) if draw.random() < 0.6 else dense_problem(draw))
        if self.models and draw.random() < 0.05:
            problem["model"] = draw.choice(self.models)
        drawn = self.values.value({**self.values.components[schema["$ref"].rpartition("/")[2]], "required": []})
        for name in ("include", "layers", "verify", "encoding", "dtype", "feedback"):
            if name in drawn and draw.random() < 0.4:
                problem[name] = drawn[name]
        make = self._make.get(path)
        return bounded(make(problem) if make else problem)

    def _component(self, name: str) -> Any:
        return self.values.value({"$ref": f"#/components/schemas/{name}"})

    def _names(self, problem: Body) -> list[str]:
        layers = problem["network"]["layers"]
        return [layer.get("name", str(at)) for at, layer in enumerate(layers, 1)]

    def _jacobian(self, problem: Body) -> Body:
        names = [*self._names(problem), "output", "input", "1.weight", "1.bias"]
        return problem | {"of": self.draw.choice(names), "wrt": self.draw.choice(names)}

    def _products(self, problem: Body) -> Body:
        kind = self.draw.choice(("jvp", "vjp", "hvp", "gauss_newton"))
        vector: Any = self.values.tensor()
        if "parameters" in problem and kind != "vjp":
            vector = {"parameters": copy.deepcopy(problem["parameters"])}
        return problem | {"kind": kind, "vector": vector}

    def _step(self, problem: Body) -> Body:
        more = {"steps": self.draw.choice((1, 2, 5))} if self.draw.random() < 0.3 else {}
        return problem | {"optimizer": self._component("OptimizerSpec"), **more}

    def _check(self, problem: Body) -> Body:
        submission = self._component("Submission")
        if "parameters" in problem and self.draw.random() < 0.6:
            submission = {"gradients": copy.deepcopy(problem["parameters"])}
        return problem | self.draw.choice(
            ({}, {"submission": submission}, {"submission": submission, "hints": "layer"})
        )

    def _invert(self, problem: Body) -> Body:
        batch = problem.pop("batch")
        problem.pop("feedback", None)
        targets = batch.get("targets", [[1]])
        return problem | self.draw.choice(({"targets": targets}, {"batch": {"targets": targets}}))

    def _probe(self, problem: Body) -> Body:
        inputs = problem["batch"]["inputs"]
        features = (
            {name: max(1, len(value)) for name, value in inputs.items()} if isinstance(inputs, dict) else len(inputs[0])
        )
        return {"network": problem["network"], "features": features, "loss": problem.get("loss", {"kind": "huber"})}

    def _model(self, problem: Body) -> Any:
        names = ("network", "parameters", "state", "convention", "dtype", "encoding")
        return {name: problem[name] for name in names if name in problem} | self._change({})

    def _change(self, _: Body) -> Any:
        return self.values.value({**self.values.components["ModelChange"]})

    def _dataset(self, problem: Body) -> Body:
        batch = {name: value for name, value in problem["batch"].items() if name in ("inputs", "targets")}
        return batch | self.draw.choice(({}, {"name": "a name"}, {"convention": problem.get("convention", "row")}))

    def _job(self, problem: Body) -> Body:
        batch = problem.pop("batch")
        problem["data"] = {name: value for name, value in batch.items() if name != "upstream"}
        drawn = self._component("JobRequest")
        several = (
            "batch_size",
            "shuffle",
            "validation_fraction",
            "early_stopping",
            "checkpoint_every_epochs",
            "sweep",
            "name",
        )
        more = {name: drawn[name] for name in several if name in drawn and self.draw.random() < 0.5}
        return problem | {"optimizer": self._component("OptimizerSpec"), "epochs": 1, **more}


def bounded(body: Any) -> Any:
    """Return the body with numbers of steps and epochs that take no time."""
    for name in ("steps", "epochs"):
        if isinstance(body, dict) and isinstance(body.get(name), int) and body[name] > 3:
            body[name] = 3
    return body
