"""An answer with its tensors as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from numpy.typing import NDArray

from gradd_client.tensor import with_arrays

Tensors = dict[str, NDArray[Any]]
Parameters = dict[str, dict[str, NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a pass leaves. Parts that were not asked for are None or empty; `document` is the whole answer."""

    document: dict[str, Any] = field(repr=False)
    convention: str
    dtype: str
    loss: float | None = None
    loss_terms: dict[str, float] | None = None
    loss_formula: str | None = None
    per_example_losses: NDArray[Any] | None = None
    output: NDArray[Any] | None = None
    preactivations: Tensors = field(default_factory=dict)
    activations: Tensors = field(default_factory=dict)
    deltas: Tensors = field(default_factory=dict)
    gradients: Parameters = field(default_factory=dict)
    input_gradient: Any = None
    parameters: Parameters = field(default_factory=dict)
    certificate: dict[str, Any] | None = None
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Answer:
        """The answer that a JSON document holds."""
        arrays = with_arrays(document)
        known = {each.name for each in fields(cls)} - {"document"}
        return cls(document=document, **{name: value for name, value in arrays.items() if name in known})
