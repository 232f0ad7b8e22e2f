"""The derivation and its style, from which the page and the Markdown document are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.computations.explain.schemas import Style
from core.errors import Issue
from core.explaining.explanation import Explanation
from core.explaining.step import Step


@dataclass(frozen=True, slots=True)
class Document:
    """A derivation and the style in which to write it."""

    explanation: Explanation
    style: Style
    warnings: list[Issue]

    @property
    def sections(self) -> Iterator[tuple[str, list[Step]]]:
        """The steps in up to three sections: forward, the loss, and backward."""
        steps = self.explanation.steps
        names = [step.id for step in steps]
        start = next((at for at, name in enumerate(names) if name in ("per_example_losses", "loss")), None)
        back = next(at for at, name in enumerate(names) if name.startswith(("upstream.", "deltas.", "factors.")))
        yield "Forward", steps[: back if start is None else start]
        if start is not None:
            yield "The loss", steps[start:back]
        yield "Backward", steps[back:]

    @property
    def title(self) -> str:
        """The title of the document, which names the sizes or layers of the network."""
        problem = self.explanation.problem
        first = next(iter(problem.inputs.values())).shape[1:]
        sizes = [*first, *(node.shape[-1] for node in problem.nodes if node.shape)]
        kinds = {node.layer.kind for node in problem.nodes}
        network = (
            "-".join(map(str, sizes))
            if kinds == {"dense"} and len(first) == 1
            else ", ".join(node.layer.kind for node in problem.nodes[:8])
        )
        return f"Backpropagation through {network}"

    def numbers(self, step: Step) -> str | None:
        """Return the equation of a step with numbers, or None if the derivation has too many of them."""
        if not self.explanation.with_numbers:
            return None
        return step.numbers(self.style.digits, self.style.max_elements)
