"""The body and answer of POST /v1/explain."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.problem.conditions import HAS_LOSS, HAS_NETWORK, NO_FEEDBACK, states
from app.problem.results import Warning
from app.problem.schemas import Body, OptimizerSpec, Parameters, ProblemOfGradients
from app.wire.tensor import Tensor
from core.convention import Convention

Format = Literal["latex", "mathml", "numpy", "text"]


def _every_format() -> list[Format]:
    return ["latex", "mathml", "numpy", "text"]


class Style(Body):
    """Options for the notation and the formats of the derivation."""

    notation: Literal["delta", "factors"] = "delta"
    """delta: the compact recursion of deltas. factors: every factor of the chain rule as a step of its own."""

    digits: Annotated[int, Field(strict=True, ge=1, le=17)] = 4
    """Number of significant digits in formulas with numbers."""

    max_elements: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 64
    """Matrices with more elements are abbreviated by an ellipsis."""

    formats: list[Format] = Field(default_factory=_every_format)
    """Formats in which every step is written."""

    focus: Annotated[str, Field(max_length=300)] | None = None
    """Path of a single number to explain in detail, for instance gradients.2.weight[0,1]."""


class ExplainRequest(ProblemOfGradients):
    """A problem, as it is sent to /v1/gradients, whose gradients are derived.

    `include` has no effect: all parts are derived.
    """

    model_config = states(HAS_NETWORK, HAS_LOSS, NO_FEEDBACK)

    optimizer: OptimizerSpec | None = None
    """If an optimizer is given, its first step is derived as well."""

    style: Style = Field(default_factory=Style)
    """Options for the notation and the formats."""


class ExplainStep(Body):
    """One equation of the derivation."""

    id: str
    """Path of the result in the answer of /v1/gradients; for an intermediate result, the layer and a letter."""

    title: str
    """Description of the result."""

    depends_on: list[str]
    """Ids of the steps and paths in the request whose values the equation uses."""

    because: str
    """The rule that was applied, and its reason."""

    latex: str | None = None
    """The equation in symbols, in LaTeX."""

    shapes: str | None = None
    """The equation in LaTeX, with the shape under every operand."""

    numbers: str | None = None
    """The equation in LaTeX, with numbers. Left out if the derivation has too many of them."""

    mathml: str | None = None
    """The equation in symbols, in MathML."""

    numpy: str | None = None
    """The equation as a line of NumPy."""

    text: str | None = None
    """The equation as plain text, with the shapes of its operands."""

    value: Tensor | float | None = None
    """The result. Left out if it has more elements than `max_elements`."""


class ShapeRow(Body):
    """The shapes of the operands of one equation."""

    id: str
    """Id of the step."""

    equation: str
    """The equation in LaTeX."""

    shapes: dict[str, list[int]]
    """Shapes by symbol, beginning with the result."""


class FocusTerm(Body):
    """One term of the sum."""

    of: str
    """The source of the term: an example, an index or the bias."""

    value: float
    """Value of the term."""

    share: float
    """Magnitude of the term divided by the sum of the magnitudes of all terms."""

    factors: dict[str, float]
    """The numbers whose product is the term, by their paths."""


class FocusAnswer(Body):
    """Explanation of a single number."""

    path: str
    """Path of the number."""

    step: str
    """Id of the step that computes the number."""

    value: float
    """The number."""

    terms: list[FocusTerm]
    """The terms whose sum is the number. Empty if the step is not a sum."""

    dominant: str | None = None
    """The largest term."""

    because: str
    """The explanation in one sentence."""


class ExplainAnswer(Body):
    """The derivation of the gradients, step by step."""

    steps: list[ExplainStep]
    """The equations in the order of computation: forward pass, loss, backward pass."""

    shape_table: list[ShapeRow]
    """The shapes of the operands of every equation."""

    script: str
    """A Python program that computes the answer of /v1/gradients with NumPy alone."""

    focus: FocusAnswer | None = None
    """Explanation of the number that `style.focus` selects."""

    parameters: Parameters | None = None
    """All parameters. Returned if some of them were drawn from the seed."""

    convention: Convention
    """Layout of the matrices in this answer."""

    dtype: str
    """Precision of the computation."""

    warnings: list[Warning]
    """Observations that did not prevent the computation but deserve attention."""
