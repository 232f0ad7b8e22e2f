"""The forward half of a derivation: the tensors of the request and every layer's result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.activations.derivation import activation_equation
from core.arrays import Array
from core.convention import layer_parameters, tensor, tensor_shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.equations.symbols import LETTERS, OPERAND, Symbol, Tags, subscript, with_subscript
from core.explaining.step import Step, numpy_of
from core.network import INPUT, Node
from core.problem import Problem

NO_NUMBERS = np.empty(0)
"""The value of a step that was not evaluated."""


class ForwardBuilder:
    """The steps of one problem from the batch to the output, and the symbols in them."""

    def __init__(
        self, problem: Problem, reported: Mapping[str, Mapping[str, Array]], *, with_numbers: bool = True
    ) -> None:
        """Derive the forward half.

        Args:
            problem: the problem.
            reported: the values that layers report of a forward run, by layer and name.
            with_numbers: evaluate every equation; otherwise the steps have names and no values.
        """
        self.problem = problem
        self._with_numbers = with_numbers
        self.steps: list[Step] = []
        self.data: dict[str, Symbol] = {}
        """The tensors of the request, by their path in it."""
        self._reported = reported
        self._tags, self._arrays = Tags(), dict[str, Array]()
        self._tag = {node.name: self._tags.identifier(node.name) for node in problem.nodes}
        results = {name: array.shape for name, array in problem.inputs.items()}
        results |= {node.name: node.shape for node in problem.nodes}
        self._shapes = {name: tensor_shape(shape, problem.convention) for name, shape in results.items()}
        self._values: dict[str, Symbol] = {}
        self._scopes: dict[str, dict[str, Symbol]] = {}
        for name, array in problem.inputs.items():
            path = "batch.inputs" if name == INPUT else f"batch.inputs.{name}"
            python = "X" if name == INPUT else f"X_{self._tags.identifier(name)}"
            latex = "X" if name == INPUT else with_subscript("X", subscript(name))
            self._values[name] = self.given(path, latex, python, tensor(array, problem.convention))
        for node in problem.nodes:
            self._forward(node)

    def given(self, path: str, latex: str, python: str, array: Array) -> Symbol:
        """Add a tensor of the request and return its symbol."""
        symbol = Symbol(latex, python, path, np.asarray(array))
        self.data[path] = symbol
        self._arrays[python] = symbol.value
        return symbol

    def tag(self, node: Node) -> str:
        """Return the layer's name as it appears in identifiers."""
        return self._tag[node.name]

    def result(self, id: str) -> Symbol:
        """Return the symbol that a step defined."""
        return next(step.result for step in self.steps if step.id == id)

    def output(self) -> tuple[Node, dict[str, Symbol]]:
        """Return the last layer and its operands."""
        node = self.problem.nodes[-1]
        return node, self._scopes[node.name]

    def step(
        self, id: str, title: str, latex: str, python: str, equation: Equation, operands: Mapping[str, Symbol]
    ) -> Symbol:
        """Append a step and return its symbol; the value comes from the step's line of NumPy."""
        used = {name: operands[name] for name in OPERAND.findall(equation.latex + equation.numpy)}
        value = np.asarray(evaluate(numpy_of(equation, used), self._arrays)) if self._with_numbers else NO_NUMBERS
        symbol = Symbol(latex, python, id, value)
        self._arrays[python] = value
        sources = tuple(dict.fromkeys(operand.source for operand in used.values()))
        self.steps.append(Step(id, title, symbol, equation, used, sources))
        return symbol

    def _layout(self, node: Node) -> Layout:
        shapes = [self._shapes[name] for name in node.reads]
        return Layout(self.problem.convention, shapes, self._shapes[node.name], frozenset(node.parameters))

    def _forward(self, node: Node) -> None:
        tag, below = self._tag[node.name], subscript(node.name)
        scope: dict[str, Symbol] = {}
        for position, name in enumerate(node.reads, 1):
            scope["X" if len(node.reads) == 1 else f"X{position}"] = self._values[name]
        own = self.problem.parameters[node.name]
        for name, array in layer_parameters(own, node.parameters, self.problem.convention).items():
            latex, python = LETTERS.get(name, (rf"\mathrm{{{name}}}", name))
            scope[name] = self.given(
                f"parameters.{node.name}.{name}", with_subscript(latex, below), f"{python}_{tag}", array
            )
        for kind, arrays in (("state", self.problem.state), ("reported", self._reported)):
            for name, array in arrays.get(node.name, {}).items():
                latex, python = LETTERS.get(name, (rf"\mathrm{{{name}}}", name))
                path = f"{kind}.{node.name}.{name}"
                scope[name] = self.given(path, with_subscript(latex, below), f"{python}_{tag}", array)
        self._scopes[node.name] = scope
        for equation in self._derivation(node).forward:
            if equation.result == "Z":
                latex, python, path = with_subscript("Z", below), f"Z_{tag}", f"preactivations.{node.name}"
                scope["Z"] = self.step(path, f"Forward, layer {node.name}", latex, python, equation, scope)
            else:
                scope[equation.result] = self._own(node, equation, scope)
        scope["A"] = self._values[node.name] = scope["Z"]
        if not node.function.is_identity:
            applied = activation_equation(node.function, self._layout(node))
            scope["A"] = self._values[node.name] = self.step(
                f"activations.{node.name}",
                f"Activation, layer {node.name}",
                with_subscript("A", below),
                f"A_{tag}",
                applied,
                scope,
            )

    def _own(self, node: Node, equation: Equation, scope: Mapping[str, Symbol]) -> Symbol:
        """Append the step of an intermediate result of a layer."""
        latex = with_subscript(equation.symbol or equation.result, subscript(node.name))
        python = f"{equation.result}_{self._tag[node.name]}"
        title = f"On the way, layer {node.name}"
        return self.step(f"{node.name}.{equation.result}", title, latex, python, equation, scope)

    def _derivation(self, node: Node) -> Derivation:
        return node.layer.derivation(self._layout(node))


def evaluate(expression: str, arrays: Mapping[str, Array]) -> Any:
    """Evaluate a line of the program. The line is ours: names from a request enter it as letters and digits only."""
    scope = {"np": np, "math": math, **arrays}
    return eval(expression, scope)  # noqa: S307  (a line of ours)
