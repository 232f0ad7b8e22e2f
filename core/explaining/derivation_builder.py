"""The builder of a derivation: it turns the equations of every layer into steps, forward, loss and backward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from core.activations.derivation import in_layout, why_backward
from core.arrays import Array
from core.equations.equation import Equation
from core.equations.symbols import LETTERS, OPERAND, Symbol, subscript, with_subscript
from core.explaining.forward_builder import ForwardBuilder
from core.explaining.loss import LossEquations
from core.network import INPUT, Node
from core.problem import Problem

Notation = Literal["delta", "factors"]


class DerivationBuilder(ForwardBuilder):
    """The steps of one problem, forward and backward."""

    def __init__(
        self,
        problem: Problem,
        reported: Mapping[str, Mapping[str, Array]],
        notation: Notation,
        *,
        with_numbers: bool = True,
    ) -> None:
        """Derive the gradients of a problem.

        Args:
            problem: the problem; it must have a loss.
            reported: the values that layers report of a forward run, by layer and name.
            notation: compact deltas, or every factor of the chain rule.
            with_numbers: evaluate every equation; otherwise the steps have names and no values.
        """
        super().__init__(problem, reported, with_numbers=with_numbers)
        self.notation = notation
        self._pending: dict[str, tuple[Equation, dict[str, Symbol]]] = {}
        self._arriving: dict[str, list[Symbol]] = {name: [] for name in self._values}
        loss = LossEquations(self)
        equation, operands = loss.write()
        (self._delta_of_output if loss.is_fused else self._upstream_of_output)(equation, operands)
        for node in reversed(problem.nodes):
            self._backward(node)
        for name in problem.inputs:
            self._input_gradient(name)

    def _backward(self, node: Node) -> None:
        scope, below, tag = self._scopes[node.name], subscript(node.name), self._tag[node.name]
        self._delta(node, scope)
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
        """Append the gradient of a parameter; with l2, first the data's part, then the sum with λ W."""
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
                r"The penalty $\tfrac{1}{2} \lambda \lVert W \rVert^2$ has the gradient $\lambda W$.",
            )
            scope["d_" + name] = self.step(path, title, latex, python, total, {"data": data, "weight": scope[name]})
        else:
            scope["d_" + name] = self.step(path, title, latex, python, equation, scope)

    def _contribution(self, node: Node, source: str, equation: Equation, scope: dict[str, Symbol]) -> None:
        """Append the gradient at a tensor that the layer reads, or the part of it that comes through this layer."""
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
        """Return True if the gradient at a tensor and the delta below it are one equation, as under notation `delta`."""
        if self.notation != "delta" or len(readers) > 1 or source in self.problem.inputs:
            return False
        function = next(node.function for node in self.problem.nodes if node.name == source)
        return function.elementwise and not function.is_identity

    def _of_value(self, name: str) -> tuple[str, str, str]:
        """Return LaTeX, name and path of the gradient at a tensor, which is a delta if the layer has no activation."""
        if name in self.problem.inputs:
            symbol = self._values[name]
            path = "input_gradient" if name == INPUT else f"input_gradient.{name}"
            return rf"\frac{{\partial L}}{{\partial {symbol.latex}}}", f"d{symbol.python}", path
        node = next(node for node in self.problem.nodes if node.name == name)
        if node.function.is_identity:
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

    def _delta_of_output(self, equation: Equation, operands: Mapping[str, Symbol]) -> None:
        """Append the delta of the output if loss and activation are fused."""
        node, scope = self.output()
        latex, python, path = self._delta_names(node)
        scope["dZ"] = self.step(path, f"Delta, layer {node.name}", latex, python, equation, operands)

    def _upstream_of_output(self, equation: Equation, operands: Mapping[str, Symbol]) -> None:
        """Append the gradient of the loss by the output."""
        node, _ = self.output()
        latex, python, path = self._of_value(node.name)
        self._arriving[node.name].append(self.step(path, "Gradient at the output", latex, python, equation, operands))

    def _summed(self, name: str) -> Symbol:
        """Append and return the gradient at a tensor: the sum over all layers that read it."""
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
            "Several layers read this tensor: by the multivariate chain rule, its gradient is the sum of theirs."
            if parts
            else "No layer reads this tensor, so the loss does not depend on it.",
        )
        return self.step(path, f"Sum over the readers of {name}", latex, python, equation, operands)

    def _delta(self, node: Node, scope: dict[str, Symbol]) -> None:
        if "dZ" in scope:
            return
        if node.name in self._pending:
            self._compact(node, scope)
            return
        scope["dA"] = self._summed(node.name)
        if node.function.is_identity:
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
                in_layout(function.numpy_derivative(), self._layout(node)),
                "The Jacobian of an elementwise function is diagonal; its diagonal is "
                rf"$\partial a / \partial z = {function.derivative}$.",
            )
            symbol = rf"\frac{{\partial {self._values[node.name].latex}}}{{\partial {z}}}"
            scope["slope"] = self.step(
                f"factors.{node.name}", title, symbol, f"slope_{self._tag[node.name]}", factor, scope
            )
            equation = Equation(
                "dZ",
                r"<dA> \circ <slope>",
                "<dA> * <slope>",
                "Chain rule: the outer derivative times the inner derivative.",
            )
        else:
            equation = Equation(
                "dZ",
                function.latex_backward(),
                in_layout(function.numpy_backward(), self._layout(node)),
                why_backward(function),
            )
        scope["dZ"] = self.step(path, title, latex, python, equation, scope)

    def _compact(self, node: Node, scope: dict[str, Symbol]) -> None:
        """Append δ_l = (gradient from above) ∘ f'(Z_l) as one step."""
        equation, operands = self._pending.pop(node.name)
        latex = node.function.latex_backward().replace("<dA>", rf"\bigl({equation.latex}\bigr)")
        numpy = in_layout(node.function.numpy_backward(), self._layout(node)).replace("<dA>", f"({equation.numpy})")
        because = (
            f"{equation.because} Then through the activation function, element by element: $f'(z) = "
            f"{node.function.derivative}$."
        )
        symbol, python, path = self._delta_names(node)
        merged = Equation("dZ", latex, numpy, because)
        scope["dZ"] = self.step(path, f"Delta, layer {node.name}", symbol, python, merged, {**scope, **operands})

    def _input_gradient(self, name: str) -> None:
        if len(self._arriving[name]) != 1 or self._arriving[name][0].python.endswith("_part1"):
            self._summed(name)
