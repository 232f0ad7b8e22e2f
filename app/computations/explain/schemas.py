"""POST /v1/explain: what it takes and gives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.problem.results import Warning
from app.problem.schemas import Body, Convention, OptimizerSpec, Parameters, ProblemOfGradients
from app.wire.tensor import Tensor

Format = Literal["latex", "mathml", "numpy", "text"]


def _every_format() -> list[Format]:
    return ["latex", "mathml", "numpy", "text"]


class Style(Body):
    """How the derivation is written."""

    notation: Literal["delta", "factors"] = "delta"
    """delta: the compact recursion. factors: every factor of the chain rule in a step of its own."""

    digits: Annotated[int, Field(strict=True, ge=1, le=17)] = 4
    """Significant digits of the numbers in formulas."""

    max_elements: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 64
    """Matrices with more elements are cut with an ellipsis."""

    formats: list[Format] = Field(default_factory=_every_format)
    """In which forms every step is written."""

    focus: Annotated[str, Field(max_length=300)] | None = None
    """A single number to explain: gradients.2.weight[0,1]."""


class ExplainRequest(ProblemOfGradients):
    """A problem whose gradients are derived, as it was sent to /v1/gradients: all of its parts are derived."""

    optimizer: OptimizerSpec | None = None
    """With one, its first step is derived too."""

    style: Style = Field(default_factory=Style)
    """How the derivation is written."""


class ExplainStep(Body):
    """One equation, in the order of computation."""

    id: str
    """The path of its result in the answer of /v1/gradients; the layer and a letter for what is on the way."""

    title: str
    """What is computed."""

    depends_on: list[str]
    """Ids of the steps and paths of the request whose results it reads."""

    because: str
    """Which rule, and why."""

    latex: str | None = None
    """The equation in symbols."""

    shapes: str | None = None
    """The same in LaTeX, with its shape under every operand."""

    numbers: str | None = None
    """The same in LaTeX, with numbers. Left out in a derivation with too many of them."""

    mathml: str | None = None
    """The equation in symbols, as MathML."""

    numpy: str | None = None
    """The equation as a line of NumPy."""

    text: str | None = None
    """The line with the shapes of everything in it."""

    value: Tensor | float | None = None
    """The result, where it has no more elements than `max_elements`."""


class ShapeRow(Body):
    """The shapes in one equation."""

    id: str
    """The step."""

    equation: str
    """In symbols, LaTeX."""

    shapes: dict[str, list[int]]
    """By symbol, the result first."""


class FocusTerm(Body):
    """One summand."""

    of: str
    """Which: an example, an index, or the bias."""

    value: float
    """The summand."""

    share: float
    """Its size as a share of all summands' sizes."""

    factors: dict[str, float]
    """The numbers that it is the product of, by their paths."""


class FocusAnswer(Body):
    """Why a single number is what it is."""

    path: str
    """The number."""

    step: str
    """Id of the step that computes it."""

    value: float
    """The number itself."""

    terms: list[FocusTerm]
    """What it is the sum of, where the step is a sum."""

    dominant: str | None = None
    """The largest term."""

    because: str
    """In a sentence."""


class ExplainAnswer(Body):
    """A derivation."""

    steps: list[ExplainStep]
    """Forward, the loss, and backward, one equation each."""

    shape_table: list[ShapeRow]
    """The shapes of every equation."""

    script: str
    """The steps as a program that runs on NumPy alone and gives the answer of /v1/gradients."""

    focus: FocusAnswer | None = None
    """The number that was asked about."""

    parameters: Parameters | None = None
    """All parameters, where some were drawn from the seed."""

    convention: Convention
    """How matrices are written."""

    dtype: str
    """Precision of the computation."""

    warnings: list[Warning]
    """What was not refused and deserves a look."""
