"""The choice of an activation function and its constants in a request."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Annotated

from core.activations import FUNCTIONS, Activation
from core.activations.gain import with_gain
from core.errors import Issue, Refusal, did_you_mean
from core.spec import Choices, Spec, constraints

CONSTANTS = ("negative_slope", "alpha", "beta", "lower", "upper", "exponent")
"""The constants that some function has."""

FunctionName = Annotated[str, Choices(FUNCTIONS)]
"""The name of an activation function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Spec):
    """An activation function with its constants. A constant that the function does not have is refused."""

    function: FunctionName
    """The function."""

    gain: float = field(default=1.0, metadata=constraints())
    """Scale of the argument, f(gain · z): the slope of a sigmoid, the inverse temperature of a softmax."""

    negative_slope: float | None = field(default=None, metadata=constraints())
    """Slope of leaky_relu for negative arguments. Default 0.01."""

    alpha: float | None = field(default=None, metadata=constraints())
    """Scale of elu for negative arguments (default 1), or slope of hard_sigmoid (default 1/6)."""

    beta: float | None = field(default=None, metadata=constraints())
    """Value of hard_sigmoid at 0. Default 0.5."""

    lower: float | None = field(default=None, metadata=constraints())
    """Least value of clip. Default: none."""

    upper: float | None = field(default=None, metadata=constraints())
    """Largest value of clip. Default: none."""

    exponent: float | None = field(default=None, metadata=constraints())
    """Exponent of power. Default 2."""

    def resolve(self) -> Activation:
        """Return the function itself.

        Raises:
            Refusal: `unknown-name` for a function that does not exist, `invalid-request` for a constant it lacks.
        """
        return resolve(self.function, self.gain, {name: getattr(self, name) for name in CONSTANTS})


def resolve(name: str, gain: float, constants: dict[str, float | None]) -> Activation:
    """Return the activation function of that name; a constant of None keeps its default."""
    function = FUNCTIONS.get(name)
    if function is None:
        raise Refusal.of(
            "unknown-name",
            f"There is no activation function {name[:60]!r}.",
            "function",
            expected=list(FUNCTIONS),
            got=name[:60],
            hint=did_you_mean(name, FUNCTIONS),
        )
    given = {constant: value for constant, value in constants.items() if value is not None}
    has = {constant.name for constant in fields(function)}
    issues = [
        Issue(
            code="invalid-request",
            path=(constant,),
            detail=f"{name} has no constant {constant!r}.",
            hint=f"Leave {constant!r} out.",
        )
        for constant in given
        if constant not in has
    ]
    if issues:
        raise Refusal(issues)
    chosen = function(**given)
    return chosen if gain == 1 else with_gain(chosen, gain)
