"""Another activation function, one left out, one applied twice, or one with another constant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.activations import FUNCTIONS, Activation
from core.activations.elu import Elu
from core.activations.gain import with_gain
from core.activations.gelu import Gelu
from core.activations.hard_sigmoid import HardSigmoid
from core.activations.leaky_relu import LeakyRelu
from core.activations.softmax import Softmax
from core.checking.forward_readings.base import Changed, ForwardReading, Variant, at, of_layers, one_or_all
from core.checking.forward_readings.functions import GeluByTanh, Twice
from core.checking.forward_readings.texts import forward_mistake
from core.checking.forward_readings.wrapped import ActivationOf
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.forward_activation import OTHER_ACTIVATIONS, ActivationLeftOut
from core.layers.activation import ActivationLayer
from core.network import Node
from core.problem import Problem

NAMED: dict[str, type[Mistake]] = {each.other: each for each in OTHER_ACTIVATIONS}
OTHERS = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "elu", "gelu", "silu", "softmax", "softsign", "exp")


def function_of(node: Node) -> Activation | None:
    """Return the activation function of a layer, or that of an activation layer."""
    return node.layer.function_of_input() or node.function


def with_function(node: Node, function: Activation) -> Changed:
    """Return the layer with another activation function."""
    if isinstance(node.layer, ActivationLayer):
        return Changed(replace(node, layer=ActivationOf(inner=node.layer, function=function)))
    return Changed(replace(node, function=function))


def places(problem: Problem, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the forward tensor that an activation function gives."""
    layer = next(node.layer for node in problem.nodes if node.name == names[0])
    return ("preactivations" if isinstance(layer, ActivationLayer) else "activations"), names


class AnotherConstant(ForwardReading):
    """Another slope of leaky_relu, another α of elu or hard_sigmoid."""

    slug = "another-constant"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for kind, constant, values in (
            (LeakyRelu, "negative_slope", (0.01, 0.2, 0.3, 0.1, 0.25, 0.05, 0.02, 0.001)),
            (Elu, "alpha", (1.0, 0.1, 0.2, 0.3, 0.5, 0.01, 2.0)),
            (HardSigmoid, "alpha", (1 / 6, 0.2, 0.5)),
        ):
            for value in values:

                def change(
                    node: Node, kind: type = kind, constant: str = constant, value: float = value
                ) -> Changed | None:
                    function = function_of(node)
                    if not isinstance(function, kind) or getattr(function, constant) == value:
                        return None
                    return with_function(node, kind(**{constant: value}))

                for other, names in one_or_all(problem, change):
                    first = function_of(next(node for node in problem.nodes if node.name == names[0]))
                    said = (
                        f"The {kind.name} of your {of_layers(names)} has the {constant.replace('_', ' ')} {value:g}; the "
                        f'request\'s is {getattr(first, constant):g}: send "{constant}": {value:g}.'
                    )
                    yield Variant(
                        problem=other, slug=self.slug, places=at(*places(problem, names)), said=said, common=True
                    )


class GeluApproximated(ForwardReading):
    """gelu by tanh, as in GPT-2 and in torch with approximate="tanh"."""

    slug = "gelu-approximation"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        def change(node: Node) -> Changed | None:
            return with_function(node, GeluByTanh()) if isinstance(function_of(node), Gelu) else None

        for other, names in one_or_all(problem, change):
            said = f"The gelu of your {of_layers(names)} is the approximation by tanh; the request's is exact."
            yield Variant(problem=other, slug=self.slug, places=at(*places(problem, names)), said=said, common=True)


class SoftmaxTemperature(ForwardReading):
    """softmax(z/T)."""

    slug = "softmax-temperature"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for temperature in (2.0, 0.5, 10.0, 0.1, 5.0, 4.0, 3.0):

            def change(node: Node, temperature: float = temperature) -> Changed | None:
                function = function_of(node)
                return (
                    with_function(node, with_gain(function, 1 / temperature)) if isinstance(function, Softmax) else None
                )

            for other, names in one_or_all(problem, change):
                said = (
                    f"The softmax of your {of_layers(names)} has the temperature {temperature:g}; the request's is 1: send "
                    f'"gain": {1 / temperature:g} with the function.'
                )
                yield Variant(problem=other, slug=self.slug, places=at(*places(problem, names)), said=said)


class AppliedTwice(ForwardReading):
    """The function that the loss applies, or that the output has, once more."""

    slug = "output-function-applied-twice"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        objective, node = problem.objective, problem.nodes[-1]
        if objective is None:
            return
        applied, function = objective.loss.applies, function_of(node)
        if function is None or (function.name not in ("softmax", "sigmoid") and not (function.is_identity and applied)):
            return
        once = FUNCTIONS[applied.name]() if applied and function.is_identity else function
        if not once.elementwise and len(node.shape) < 2:
            return
        twice = once if function.is_identity else Twice(function=function)
        part, names = places(problem, (node.name,))
        mistake = forward_mistake(
            self.slug,
            said=f"is {once.name} of what {once.name} has already been applied to",
            wrong=rf"A = \mathrm{{{once.name}}}(\mathrm{{{once.name}}}(Z))",
            why=(
                f"Either the last layer or the loss applies {once.name}, not both: a cross-entropy on logits reads z, one "
                "on probabilities reads the output of the function."
            ),
            part=part,
        )
        other = next(one_or_all(problem, lambda each: with_function(each, twice) if each is node else None))[0]
        yield Variant(problem=other, slug=self.slug, places=at(part, names), mistake=mistake)


class AnotherFunction(ForwardReading):
    """No activation function, or another one."""

    slug = "another-activation"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for name in ("identity", *OTHERS):

            def change(node: Node, name: str = name) -> Changed | None:
                function = function_of(node)
                if function is None or function.name == name or (function.is_identity and not node.parameters):
                    return None
                if not FUNCTIONS[name].elementwise and len(node.shape) < 2:
                    return None
                return with_function(node, FUNCTIONS[name]())

            for other, names in one_or_all(problem, change):
                part, names = places(problem, names)
                mistake = _texts(name, part)
                yield Variant(problem=other, slug=mistake.slug, places=at(part, names), mistake=mistake)


def _texts(name: str, part: str) -> type[Mistake]:
    if part == "activations" and name == "identity":
        return ActivationLeftOut
    if part == "activations" and name in NAMED:
        return NAMED[name]
    did = "is not passed through the function" if name == "identity" else f"is {name} of z, not the layer's function"
    return forward_mistake(
        "activation-left-out" if name == "identity" else "another-activation",
        said=did,
        wrong="A = Z" if name == "identity" else rf"A = \mathrm{{{name}}}(Z)".replace("_", r"\_"),
        why="The layers above read f(z), with the activation function f of the request.",
        part=part,
    )
