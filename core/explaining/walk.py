"""The walk over a network that turns every layer's equations into steps: forward, the loss, and backward."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from core.activations.identity import Identity
from core.arrays import Array
from core.convention import layer_parameters, tensor, tensor_shape
from core.errors import Refusal
from core.explaining.equation import Equation, Scene
from core.explaining.function import activation_equation, in_scene, why_backward
from core.explaining.loss import LossEquations
from core.explaining.step import Step, numpy_of
from core.explaining.symbols import LETTERS, OPERAND, Symbol, Tags, subscript, with_subscript
from core.problem import Problem
from core.survey import INPUT, Node

Notation = Literal["delta", "factors"]


class Walk:
    """The steps of one problem."""

    def __init__(self, problem: Problem, reported: Mapping[str, Mapping[str, Array]], notation: Notation) -> None:
        self.problem, self.notation = problem, notation
        self.steps: list[Step] = []
        self.data: dict[str, Symbol] = {}
        """What the request brings, by its path there."""
        self._reported = reported
        self._pending: dict[str, tuple[Equation, dict[str, Symbol]]] = {}
        self._tags, self._arrays = Tags(), dict[str, Array]()
        self._tag = {node.name: self._tags.identifier(node.name) for node in problem.nodes}
        self._values: dict[str, Symbol] = {}
        self._scopes: dict[str, dict[str, Symbol]] = {}
        self._arriving: dict[str, list[Symbol]] = {node.name: [] for node in problem.nodes}
        self._arriving |= {name: [] for name in problem.inputs}
        for name, array in problem.inputs.items():
            path = "batch.inputs" if name == INPUT else f"batch.inputs.{name}"
            python = "X" if name == INPUT else f"X_{self._tags.identifier(name)}"
            latex = "X" if name == INPUT else with_subscript("X", subscript(name))
            self._values[name] = self._given(path, latex, python, tensor(array, problem.convention))
        for node in problem.nodes:
            self._forward(node)
        self.loss = LossEquations(self)
        self.loss.write()
        for node in reversed(problem.nodes):
            self._backward(node)
        for name in problem.inputs:
            self._input_gradient(name)

    def _given(self, path: str, latex: str, python: str, array: Array) -> Symbol:
        """A tensor of the request."""
        symbol = Symbol(latex, python, path, np.asarray(array))
        self.data[path] = symbol
        self._arrays[python] = symbol.value
        return symbol

    def given(self, path: str, latex: str, python: str, array: Array) -> Symbol:
        """A tensor of the request that the loss brings."""
        return self._given(path, latex, python, array)

    def tag(self, node: Node) -> str:
        """A layer's name as part of identifiers."""
        return self._tag[node.name]

    def result(self, id: str) -> Symbol:
        """What a step defined."""
        return next(step.result for step in self.steps if step.id == id)

    def output(self) -> tuple[Node, dict[str, Symbol]]:
        """The last layer, and its operands."""
        node = self.problem.nodes[-1]
        return node, self._scopes[node.name]

    def step(
        self, id: str, title: str, latex: str, python: str, equation: Equation, operands: Mapping[str, Symbol]
    ) -> Symbol:
        """Append a step; its value is what its line of NumPy gives."""
        used = {name: operands[name] for name in OPERAND.findall(equation.latex + equation.numpy)}
        value = np.asarray(evaluated(numpy_of(equation, used), self._arrays))
        symbol = Symbol(latex, python, id, value)
        self._arrays[python] = value
        sources = tuple(dict.fromkeys(operand.source for operand in used.values()))
        self.steps.append(Step(id, title, symbol, equation, used, sources))
        return symbol

    def _scene(self, node: Node) -> Scene:
        shapes = [self._values[name].value.shape for name in node.reads]
        shape = tensor_shape(node.shape, self.problem.convention)
        return Scene(self.problem.convention, shapes, shape, frozenset(node.parameters))

    def _forward(self, node: Node) -> None:
        tag, below = self._tag[node.name], subscript(node.name)
        scope: dict[str, Symbol] = {}
        for position, name in enumerate(node.reads, 1):
            scope["X" if len(node.reads) == 1 else f"X{position}"] = self._values[name]
        own = self.problem.parameters[node.name]
        for name, array in layer_parameters(own, node.parameters, self.problem.convention).items():
            latex, python = LETTERS.get(name, (rf"\mathrm{{{name}}}", name))
            scope[name] = self._given(
                f"parameters.{node.name}.{name}", with_subscript(latex, below), f"{python}_{tag}", array
            )
        for kind, arrays in (("state", self.problem.state), ("reported", self._reported)):
            for name, array in arrays.get(node.name, {}).items():
                latex, python = LETTERS.get(name, (rf"\mathrm{{{name}}}", name))
                path = f"{kind}.{node.name}.{name}"
                scope[name] = self._given(path, with_subscript(latex, below), f"{python}_{tag}", array)
        self._scopes[node.name] = scope
        for equation in self._derivation(node).forward:
            if equation.result == "Z":
                latex, python, path = with_subscript("Z", below), f"Z_{tag}", f"preactivations.{node.name}"
                scope["Z"] = self.step(path, f"Forward, layer {node.name}", latex, python, equation, scope)
            else:
                scope[equation.result] = self._own(node, equation, scope)
        scope["A"] = self._values[node.name] = scope["Z"]
        if not isinstance(node.function, Identity):
            applied = activation_equation(node.function, self._scene(node))
            scope["A"] = self._values[node.name] = self.step(
                f"activations.{node.name}",
                f"Activation, layer {node.name}",
                with_subscript("A", below),
                f"A_{tag}",
                applied,
                scope,
            )

    def _own(self, node: Node, equation: Equation, scope: Mapping[str, Symbol]) -> Symbol:
        """An intermediate result of a layer."""
        latex = with_subscript(equation.symbol or equation.result, subscript(node.name))
        python = f"{equation.result}_{self._tag[node.name]}"
        title = f"On the way, layer {node.name}"
        return self.step(f"{node.name}.{equation.result}", title, latex, python, equation, scope)

    def _derivation(self, node: Node) -> Any:
        try:
            return node.layer.derivation(self._scene(node))
        except NotImplementedError:
            detail = f"Layer {node.name!r}: there is no derivation of {node.layer.kind} yet."
            raise Refusal.of("unsupported-operator", detail, "network", "layers", node.position) from None

    def _backward(self, node: Node) -> None:
        scope, below, tag = self._scopes[node.name], subscript(node.name), self._tag[node.name]
        self._delta(node, scope)
        if not node.parameters and not any(self._wanted(name) for name in node.reads):
            return
        names = {("X" if len(node.reads) == 1 else f"X{k}"): name for k, name in enumerate(node.reads, 1)}
        for equation in self._derivation(node).backward:
            if equation.result.startswith("d_") and equation.result[2:] in node.parameters:
                name = equation.result[2:]
                latex, python = LETTERS.get(name, (rf"\mathrm{{{name}}}", name))
                symbol = rf"\frac{{\partial L}}{{\partial {with_subscript(latex, below)}}}"
                self._gradient(node, name, symbol, f"d{python}_{tag}", equation)
            elif equation.result[:1] == "d" and equation.result[1:] in names:
                source = names[equation.result[1:]]
                self._contribution(node, source, equation, scope)
            else:
                scope[equation.result] = self._own(node, equation, scope)

    def _gradient(self, node: Node, name: str, latex: str, python: str, equation: Equation) -> None:
        """The gradient of a parameter; with l2, the data's part first, then λ W."""
        scope, path = self._scopes[node.name], f"gradients.{node.name}.{name}"
        title = f"Gradient, layer {node.name}, {name}"
        objective = self.problem.objective
        l2 = objective.loss.l2 if objective and node.parameters[name].weight_like else 0.0
        if l2:
            data = self.step(f"{path}.data", title, rf"{latex}^{{\text{{data}}}}", f"{python}_data", equation, scope)
            total = Equation(
                name,
                rf"<data> + {l2:g} <weight>",
                f"<data> + {l2!r} * <weight>",
                "The penalty ½ λ ‖W‖² has gradient λ W.",
            )
            scope["d_" + name] = self.step(path, title, latex, python, total, {"data": data, "weight": scope[name]})
        else:
            scope["d_" + name] = self.step(path, title, latex, python, equation, scope)

    def _contribution(self, node: Node, source: str, equation: Equation, scope: dict[str, Symbol]) -> None:
        """∂L/∂(what the layer reads), or the part of it that came through this layer."""
        if not self._wanted(source):
            return
        readers = [reads for other in self.problem.nodes for reads in other.reads if reads == source]
        if self._merges(source, readers):
            renamed = {f"up_{name}": symbol for name, symbol in scope.items()}
            latex, numpy = (OPERAND.sub(r"<up_\1>", text) for text in (equation.latex, equation.numpy))
            self._pending[source] = Equation("dA", latex, numpy, equation.because), renamed
            return
        latex, python, path = self._of_value(source)
        if len(readers) > 1:
            through = f"{len(self._arriving[source]) + 1}"
            latex, python, path = rf"{latex}^{{({through})}}", f"{python}_part{through}", f"{path}.part{through}"
        symbol = self.step(path, f"Through layer {node.name}", latex, python, equation, scope)
        self._arriving[source].append(symbol)

    def _merges(self, source: str, readers: list[str]) -> bool:
        """Whether the gradient at a tensor and the delta below it are one equation: the compact recursion of `delta`."""
        if self.notation != "delta" or len(readers) > 1 or source in self.problem.inputs:
            return False
        function = next(node.function for node in self.problem.nodes if node.name == source)
        return function.elementwise and not isinstance(function, Identity)

    def _of_value(self, name: str) -> tuple[str, str, str]:
        """How the gradient at a tensor is called: a delta where no activation lies between."""
        if name in self.problem.inputs:
            symbol = self._values[name]
            path = "input_gradient" if name == INPUT else f"input_gradient.{name}"
            return rf"\frac{{\partial L}}{{\partial {symbol.latex}}}", f"d{symbol.python}", path
        node = next(node for node in self.problem.nodes if node.name == name)
        if isinstance(node.function, Identity):
            return self._delta_names(node)
        return (
            rf"\frac{{\partial L}}{{\partial {self._values[name].latex}}}",
            f"dA_{self._tag[name]}",
            f"upstream.{name}",
        )

    def _delta_names(self, node: Node) -> tuple[str, str, str]:
        below = subscript(node.name)
        latex = (
            with_subscript(r"\delta", below)
            if self.notation == "delta"
            else rf"\frac{{\partial L}}{{\partial {with_subscript('Z', below)}}}"
        )
        return latex, f"dZ_{self._tag[node.name]}", f"deltas.{node.name}"

    def _wanted(self, name: str) -> bool:
        return True

    def arrived(self, name: str, symbol: Symbol) -> None:
        """What the loss sends to the output."""
        self._arriving[name].append(symbol)

    def delta_of_output(self, equation: Equation, operands: Mapping[str, Symbol]) -> None:
        """The delta of the output where loss and activation are fused."""
        node, scope = self.output()
        latex, python, path = self._delta_names(node)
        scope["dZ"] = self.step(path, f"Delta, layer {node.name}", latex, python, equation, operands)

    def upstream_of_output(self, equation: Equation, operands: Mapping[str, Symbol]) -> None:
        """∂L/∂(output)."""
        node, _ = self.output()
        latex, python, path = self._of_value(node.name)
        self._arriving[node.name].append(self.step(path, "Gradient at the output", latex, python, equation, operands))

    def _summed(self, name: str) -> Symbol:
        """The gradient at a tensor: the sum over all that read it."""
        parts = self._arriving[name]
        if len(parts) == 1 and not parts[0].python.endswith("_part1"):
            return parts[0]
        latex, python, path = self._of_value(name)
        operands = {f"part{position}": part for position, part in enumerate(parts, 1)}
        if not parts:
            operands["value"] = self._values[name]
        equation = Equation(
            "sum",
            " + ".join(f"<{part}>" for part in operands) if parts else "0",
            " + ".join(f"<{part}>" for part in operands) if parts else "np.zeros_like(<value>)",
            "Several layers read it: by the multivariate chain rule their gradients add up."
            if parts
            else "Nothing reads it, so the loss does not depend on it.",
        )
        return self.step(path, f"Sum over the readers of {name}", latex, python, equation, operands)

    def _delta(self, node: Node, scope: dict[str, Symbol]) -> None:
        if "dZ" in scope:
            return
        if node.name in self._pending:
            self._compact(node, scope)
            return
        scope["dA"] = self._summed(node.name)
        if isinstance(node.function, Identity):
            scope["dZ"] = scope["dA"]
            return
        latex, python, path = self._delta_names(node)
        title = f"Delta, layer {node.name}"
        function = node.function
        if self.notation == "factors" and function.elementwise:
            z = with_subscript("Z", subscript(node.name))
            factor = Equation(
                "slope",
                rf"{function.latex()}'(<Z>)",
                in_scene(function.numpy_derivative(), self._scene(node)),
                "The Jacobian of an elementwise function is diagonal; its diagonal is "
                rf"$\partial a / \partial z = {function.derivative}$.",
            )
            symbol = rf"\frac{{\partial {self._values[node.name].latex}}}{{\partial {z}}}"
            scope["slope"] = self.step(
                f"factors.{node.name}", title, symbol, f"slope_{self._tag[node.name]}", factor, scope
            )
            equation = Equation(
                "dZ", r"<dA> \circ <slope>", "<dA> * <slope>", "Chain rule: outer times inner derivative."
            )
        else:
            equation = Equation(
                "dZ",
                function.latex_backward(),
                in_scene(function.numpy_backward(), self._scene(node)),
                why_backward(function),
            )
        scope["dZ"] = self.step(path, title, latex, python, equation, scope)

    def _compact(self, node: Node, scope: dict[str, Symbol]) -> None:
        """δ_l = (what comes down) ∘ f'(Z_l) in one step."""
        equation, operands = self._pending.pop(node.name)
        latex = node.function.latex_backward().replace("<dA>", rf"\bigl({equation.latex}\bigr)")
        numpy = in_scene(node.function.numpy_backward(), self._scene(node)).replace("<dA>", f"({equation.numpy})")
        because = (
            f"{equation.because} Then through the function, element by element: $f'(z) = {node.function.derivative}$."
        )
        symbol, python, path = self._delta_names(node)
        merged = Equation("dZ", latex, numpy, because)
        scope["dZ"] = self.step(path, f"Delta, layer {node.name}", symbol, python, merged, {**scope, **operands})

    def _input_gradient(self, name: str) -> None:
        if len(self._arriving[name]) != 1 or self._arriving[name][0].python.endswith("_part1"):
            self._summed(name)


def evaluated(expression: str, arrays: Mapping[str, Array]) -> Any:
    """What a line of the program gives. The line is one of ours: names from a request enter it as letters and digits only."""
    scope = {"np": np, "math": math, **arrays}
    return eval(expression, scope)  # noqa: S307
