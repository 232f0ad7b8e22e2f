"""Trainable: the parameters of a plan that an optimizer moves, as one vector."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import numpy as np

from core.arrays import Array
from core.errors import Issue, refuse_if_any
from core.network import Node

Named = Mapping[str, Mapping[str, Array]]


class Trainable:
    """The trained parameters, their order in one vector, and the conversion in both directions.

    Everything is in the core's view: weights in x out.
    """

    def __init__(self, nodes: Sequence[Node], frozen: Collection[str] = ()) -> None:
        """Select the parameters to train; `frozen` names those that are not, such as "1.bias".

        Raises:
            Refusal: `unknown-name`, with every name that does not exist.
        """
        every = {f"{node.name}.{name}": (node, name) for node in nodes for name in node.parameters}
        refuse_if_any(
            [
                Issue(
                    code="unknown-name",
                    path=("freeze", position),
                    detail=f"{key[:60]!r} is no parameter of this network.",
                    expected=list(every)[:50],
                    got=key[:60],
                )
                for position, key in enumerate(frozen)
                if key not in every
            ]
        )
        self.entries = [
            (node.name, name, node.parameters[name].shape) for key, (node, name) in every.items() if key not in frozen
        ]
        sizes = [int(np.prod(shape)) for _, _, shape in self.entries]
        ends = np.cumsum([0, *sizes]).tolist()
        self._slices = [slice(start, end) for start, end in pairwise(ends)]
        self.size: int = ends[-1]

    def gather(self, arrays: Named, into: Array, *, known_only: bool = False) -> Array:
        """Write the arrays into a vector; with `known_only`, skip those that are missing."""
        for (layer, name, shape), part in zip(self.entries, self._slices, strict=True):
            if not known_only or name in arrays.get(layer, {}):
                np.copyto(into[part].reshape(shape), arrays[layer][name])
        return into

    def apart(self, vector: Array) -> dict[str, dict[str, Array]]:
        """Return the parts of a vector by layer and name, as views."""
        found: dict[str, dict[str, Array]] = {}
        for (layer, name, shape), part in zip(self.entries, self._slices, strict=True):
            found.setdefault(layer, {})[name] = vector[part].reshape(shape)
        return found

    def elsewhere(self, vector: Array, arrays: Named) -> list[tuple[Array, Array]]:
        """Return the arrays that are not views of the vector, each with its part of the vector."""
        pairs = [
            (arrays[layer][name], part) for layer, named in self.apart(vector).items() for name, part in named.items()
        ]
        return [(array, part) for array, part in pairs if not np.may_share_memory(array, part)]


def copy_arrays(arrays: Named) -> dict[str, dict[str, Array]]:
    """Return copies of all arrays."""
    return {layer: {name: array.copy() for name, array in named.items()} for layer, named in arrays.items()}
