"""The equations of the loss: its value, and the gradient at the output, or at the logits if the two are fused."""

from __future__ import annotations

import numpy as np

from core.activations.derivation import in_layout
from core.convention import tensor, tensor_shape
from core.equations.equation import Equation
from core.equations.layout import Layout
from core.equations.symbols import Symbol
from core.explaining.forward_builder import ForwardBuilder


class LossEquations:
    """The steps of the loss, between the forward and the backward half of a derivation."""

    def __init__(self, builder: ForwardBuilder) -> None:
        self._builder, problem = builder, builder.problem
        objective = problem.objective
        if objective is None:
            raise LookupError("gradients are those of a loss")
        self._objective, self._loss = objective, objective.loss
        self._node = problem.nodes[-1]
        shape = tensor_shape(self._node.shape, problem.convention)
        self._layout = Layout(problem.convention, [], shape, frozenset())
        self._n = max(1, self._node.shape[0] if self._node.shape else 1)

    @property
    def is_fused(self) -> bool:
        """True if loss and activation are differentiated together."""
        return self._loss.on_logits(self._node.function) is not None

    def write(self) -> tuple[Equation, dict[str, Symbol]]:
        """Append the steps of the loss.

        Returns:
            The equation of the gradient at the output, or of its delta if the loss `is_fused`, and its operands.
        """
        _, scope = self._builder.output()
        targets = tensor(self._objective.targets.reshape(self._node.shape), self._builder.problem.convention)
        path = "batch.targets" if self._loss.needs_targets else "batch.upstream"
        scope["Y"] = self._builder.given(path, "Y" if self._loss.needs_targets else r"\bar A", "Y", targets)
        shares = self._objective.coefficients
        self._weighted = self._loss.needs_targets and not np.all(shares == shares[0])
        if self._weighted:
            scope["c"] = self._builder.given("batch.sample_weight", "c", "c", shares)
        for equation in self._loss.intermediate():
            symbol = equation.symbol or equation.result
            scope[equation.result] = self._builder.step(
                f"loss.{equation.result}", "Within the loss", symbol, f"loss_{equation.result}", equation, scope
            )
        if self._loss.needs_targets:
            self._value(scope, logits=self.is_fused)
        return self._fused() if self.is_fused else self._gradient(), scope

    def _value(self, scope: dict[str, Symbol], *, logits: bool) -> None:
        loss = (self._loss.on_logits(self._node.function) if logits else None) or self._loss
        numpy = in_layout(loss.numpy(), self._layout).replace("<A>", "<Z>" if logits else "<A>")
        losses = Equation(
            "losses",
            r"\ell(<A>, <Y>)",
            numpy,
            f"The loss of each example: ${self._loss.formula}$."
            + (" It is computed from the logits, so that the logarithm of 0 never occurs." if logits else ""),
        )
        scope["losses"] = self._builder.step(
            "per_example_losses", "Loss of each example", r"\ell", "losses", losses, scope
        )
        l2 = self._loss.l2
        weights = [
            symbol
            for node in self._builder.problem.nodes
            for name, parameter in node.parameters.items()
            if parameter.weight_like and (symbol := self._builder.data[f"parameters.{node.name}.{name}"])
        ]
        penalty = {f"W{position}": symbol for position, symbol in enumerate(weights)} if l2 else {}
        if self._weighted:
            latex, code, why = (
                r"\sum_i <c>_i <losses>_i",
                "<c> @ <losses>",
                "The sum over the examples, each times its weight.",
            )
        elif self._loss.reduction == "mean":
            latex, code, why = (
                rf"\frac{{1}}{{{self._n}}} \sum_i <losses>_i",
                f"<losses>.sum() / {self._n}",
                "The mean over the examples.",
            )
        else:
            latex, code, why = r"\sum_i <losses>_i", "<losses>.sum()", "The sum over the examples."
        if penalty:
            latex += (
                rf" + \frac{{{l2:g}}}{{2}} \bigl("
                + " + ".join(rf"\lVert <{name}> \rVert^2" for name in penalty)
                + r"\bigr)"
            )
            code += f" + {l2!r} / 2 * (" + " + ".join(f"(<{name}>**2).sum()" for name in penalty) + ")"
            why += r" The penalty $\tfrac{1}{2} \lambda \sum \lVert W \rVert^2$ is added afterwards."
        self._builder.step("loss", "Loss", "L", "L", Equation("L", latex, code, why), scope | penalty)

    def _shared(self, latex: str, code: str) -> tuple[str, str]:
        """Return an expression times the share of each example in the loss, as LaTeX and NumPy."""
        if not self._loss.needs_targets:
            return latex, code
        if self._weighted:
            return rf"\bigl({latex}\bigr)\,\mathrm{{diag}}(<c>)", f"({code}) * " + self._layout.for_examples(
                "<c>", self._layout.result
            )
        if self._loss.reduction == "sum":
            return latex, code
        return rf"\frac{{1}}{{{self._n}}} \bigl({latex}\bigr)", f"({code}) / {self._n}"

    def _gradient(self) -> Equation:
        latex, code = self._shared(self._loss.latex_gradient(), in_layout(self._loss.numpy_gradient(), self._layout))
        return Equation("dA", latex, code, f"The derivative of the loss ${self._loss.formula}$ by the output.")

    def _fused(self) -> Equation:
        latex, code = self._shared("<A> - <Y>", in_layout(self._loss.numpy_fused(), self._layout))
        because = (
            f"{self._node.function.name} and {self._loss.kind.replace('_', ' ')} are differentiated together: the "
            "derivative of the function cancels against the denominator of the loss's derivative, "
            "which leaves $a - y$."
        )
        return Equation("dZ", latex, code, because)
