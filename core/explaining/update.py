"""The equations of an optimizer's step, for every parameter that it moves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.arrays import Array
from core.convention import layer_parameters
from core.equations.equation import Equation
from core.equations.symbols import LETTERS, Symbol, subscript, with_subscript
from core.errors import Refusal
from core.explaining.derivation_builder import DerivationBuilder
from core.network import Node
from core.optimizers import Optimizer


def write_update(
    builder: DerivationBuilder, optimizer: Optimizer, rates: Mapping[str, Mapping[str, Array]] | None
) -> None:
    """Append the equations of the first step of an optimizer, whose state is still empty.

    Raises:
        Refusal: `unsupported-operator` for options that act on all gradients together, or at random.
    """
    for name in ("gradient_clip_norm", "gradient_noise"):
        if getattr(optimizer, name) is not None:
            detail = f"The derivation of an update has no {name}: it acts on all gradients together."
            raise Refusal.of("unsupported-operator", detail, "optimizer", name, hint="Leave it out, or POST /v1/step.")
    given = optimizer.learning_rate
    number = (given if isinstance(given, float) else optimizer.default_rate) * optimizer.factor(0)
    eta = builder.given("optimizer.learning_rate", r"\eta", "eta", np.array(number))
    for node in builder.problem.nodes:
        own = layer_parameters((rates or {}).get(node.name, {}), node.parameters, builder.problem.convention)
        for name in node.parameters:
            rate = eta
            if name in own:
                path = f"optimizer.learning_rate.{node.name}.{name}"
                rate = builder.given(
                    path, r"\alpha", f"eta_{builder.tag(node)}_{name}", own[name] * optimizer.factor(0)
                )
            _one(builder, optimizer, node, name, rate)


def _one(builder: DerivationBuilder, optimizer: Optimizer, node: Node, name: str, rate: Symbol) -> None:
    """Append the equations for one parameter."""
    key, title = f"{node.name}.{name}", f"Update, layer {node.name}, {name}"
    theta, gradient = builder.data[f"parameters.{key}"], builder.result(f"gradients.{key}")
    letter, python = LETTERS.get(name, (rf"\mathrm{{{name}}}", name))
    tag = f"{python}_{builder.tag(node)}"
    latex = with_subscript(letter, subscript(node.name))
    scope = {"theta": theta, "g": gradient, "rate": rate}
    for slot in optimizer.slots:
        path = f"optimizer_state.slots.{slot}.{key}"
        scope[slot] = builder.given(path, with_subscript("0", "t=0"), f"{slot}_{tag}_0", np.zeros_like(theta.value))
    if optimizer.weight_decay and not optimizer.decouples_weight_decay:
        decay = Equation(
            "g",
            rf"<g> + {optimizer.weight_decay:g} <theta>",
            f"<g> + {optimizer.weight_decay!r} * <theta>",
            r"Weight decay adds $\lambda \theta$ to the gradient.",
        )
        scope["g"] = builder.step(f"update.{key}.decayed", title, rf"g_{{{latex}}}", f"g_{tag}", decay, scope)
    for equation in optimizer.derivation(1):
        if equation.result == "theta":
            builder.step(f"update.{key}", title, rf"{latex}^{{+}}", f"{tag}_new", equation, scope)
        else:
            symbol = rf"{equation.symbol or equation.result}_{{{latex}}}"
            id = f"update.{key}.{equation.result}"
            scope[equation.result] = builder.step(id, title, symbol, f"{equation.result}_{tag}", equation, scope)
