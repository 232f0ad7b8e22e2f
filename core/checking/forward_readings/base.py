"""The base class of forward readings: another function that the user's forward pass may compute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.network import Node
from core.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A problem whose forward pass is another one than the request's, and whose backward pass belongs to it."""

    problem: Problem
    slug: str
    places: tuple[Quantity, ...]
    """The first forward tensor of every layer that computes something else."""
    said: str = ""
    """The difference in a sentence, for a neighbouring convention."""
    mistake: type[Mistake] | None = None
    """The texts of a mistake; None for a neighbouring convention, which is no mistake."""
    common: bool = False
    """True if it is common enough to be tried together with another difference."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A layer that computes something else than the request's."""

    node: Node
    parameters: Mapping[str, Array] = field(default_factory=dict)
    """Other values of its parameters."""


class ForwardReading:
    """A way in which a forward pass may differ from the request's.

    To add one, write a class in a file of ``core/checking/forward_readings/`` and list it in `FORWARD_READINGS` there. It
    describes the difference as another problem, of which both passes are then right.
    """

    slug: str
    """The name of the difference in an answer."""

    def variants(self, problem: Problem) -> Iterator[Variant]:
        """Yield the problems that the user's program may solve instead of this one."""
        raise NotImplementedError


def changed(problem: Problem, changes: Mapping[str, Changed]) -> Problem:
    """Return the problem with some layers changed, by name."""
    nodes = [changes[node.name].node if node.name in changes else node for node in problem.nodes]
    parameters = {
        name: {**named, **changes[name].parameters} if name in changes else named
        for name, named in problem.parameters.items()
    }
    return replace(problem, nodes=nodes, parameters=parameters)


def one_or_all(problem: Problem, change: Callable[[Node], Changed | None]) -> Iterator[tuple[Problem, tuple[str, ...]]]:
    """Yield the problem with every layer changed for which a change exists, if there are several, then each alone."""
    found = {node.name: made for node in problem.nodes if (made := change(node)) is not None}
    if len(found) > 1:
        yield changed(problem, found), tuple(found)
    for name, made in found.items():
        yield changed(problem, {name: made}), (name,)


def of_layers(names: tuple[str, ...]) -> str:
    """Return the layers as part of a sentence: "layer 'a'", "layers 'a' and 'b'"."""
    quoted = [repr(name) for name in names]
    if len(quoted) == 1:
        return f"layer {quoted[0]}"
    return f"layers {', '.join(quoted[:-1])} and {quoted[-1]}"


def at(part: str, names: tuple[str, ...]) -> tuple[Quantity, ...]:
    """Return that forward tensor of these layers."""
    return tuple(Quantity(part, name) for name in names)
