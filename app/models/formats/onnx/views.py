"""Views: values of a graph that are the result of a layer with its axes in another order, divided or joined.

Layers put the examples first. Graphs also put the time steps first, the directions of a recurrent layer on an axis of their
own, or examples and time steps on one axis. Such a value stays a view until the nodes after it have brought the examples
back to the front: then it is a layer again, or one with a reshape and a transpose behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from app.models.formats.onnx.file import Lengths
from app.models.formats.onnx.node import Untranslatable


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """An axis, or a part of one, that has not been divided. Axes of length 1 have none."""

    length: int | None
    """None if it is open; for the examples, unless the graph fixes their number."""

    is_examples: bool = False


Axis = tuple[Atom, ...]
"""An axis that joins atoms, the last one varying fastest."""


@dataclass(frozen=True, slots=True)
class View:
    """The result of a layer with its atoms in another arrangement."""

    layer: str
    source: tuple[Axis, ...]
    """The axes of the layer's result."""

    axes: tuple[Axis, ...]
    """The axes of the value."""

    @property
    def is_plain(self) -> bool:
        """Whether the value is the layer's result as it is."""
        return self.axes == self.source

    @property
    def counts_examples(self) -> bool:
        """Whether the first axis counts the examples, and no other axis holds any."""
        return len(self.axes[:1]) == 1 and [atom.is_examples for atom in self.axes[0]] == [True]

    def permuted(self, order: Sequence[int]) -> View:
        """Return the view with its axes in that order."""
        return replace(self, axes=tuple(self.axes[axis] for axis in order))

    def without(self, axis: int) -> View:
        """Return the view without an axis of length 1."""
        if self.axes[axis]:
            raise Untranslatable("it drops an axis whose length is not 1")
        return replace(self, axes=self.axes[:axis] + self.axes[axis + 1 :])

    def divided(self, atom: Atom, *lengths: int) -> tuple[View, list[Atom]]:
        """Return the view with an atom divided, and its parts."""
        parts = [Atom(length) for length in lengths]
        source, axes = (
            tuple(tuple(new for old in axis for new in (parts if old is atom else [old])) for axis in each)
            for each in (self.source, self.axes)
        )
        return View(self.layer, source, axes), parts

    def reshaped(self, shape: Lengths, kept: int = 0) -> View:
        """Return the view in another shape, of which one length may be open behind the leading axes that are kept.

        Raises:
            Untranslatable: if the lengths of the two shapes do not divide each other.
        """
        if kept:
            rest = replace(self, axes=self.axes[kept:]).reshaped(shape[kept:])
            return replace(rest, axes=self.axes[:kept] + rest.axes)
        view, taken = self, list[Axis]()
        open_axes = [position for position, length in enumerate(shape) if length is None or length < 0]
        middle = open_axes[0] if open_axes else len(shape)
        if len(open_axes) > 1:
            raise Untranslatable("several lengths of its result are open; send ?input_shape=")
        for length in shape[:middle]:
            view, axis = view._take(length or 1, sum(map(len, taken)))
            taken.append(axis)
        behind = list[Axis]()
        for length in shape[:middle:-1]:
            view, axis = view._take(length or 1, sum(map(len, behind)), backward=True)
            behind.append(axis)
        atoms = [atom for axis in view.axes for atom in axis]
        left = tuple(atoms[sum(map(len, taken)) : len(atoms) - sum(map(len, behind))])
        axes = (*taken, *([left] if open_axes else []), *behind[::-1])
        if not open_axes and left:
            raise Untranslatable("its result has another number of elements")
        return replace(view, axes=axes)

    def _take(self, length: int, skip: int, *, backward: bool = False) -> tuple[View, Axis]:
        """Return the view, in which an atom may have been divided, and the next atoms that make up a length."""
        view, taken = self, list[Atom]()
        while (size := prod(atom.length or 0 for atom in taken)) != length:
            atoms = [atom for axis in view.axes for atom in axis][:: -1 if backward else 1]
            atom = atoms[skip + len(taken)] if skip + len(taken) < len(atoms) else None
            if atom is None or atom.length is None or length % size:
                raise Untranslatable("its result joins or divides axes in a way that no layer does")
            needed = length // size
            if needed % atom.length == 0:
                taken.append(atom)
                continue
            if atom.length % needed or atom.is_examples:
                raise Untranslatable("its result joins or divides axes in a way that no layer does")
            rest = atom.length // needed
            view, parts = view.divided(atom, *((rest, needed) if backward else (needed, rest)))
            taken.append(parts[-1] if backward else parts[0])
        return view, tuple(taken[::-1] if backward else taken)


def plain_view(layer: str, shape: Lengths) -> View:
    """Return the result of a layer as a view of itself; its first axis counts the examples."""
    source = tuple(
        (Atom(length, position == 0),) if length != 1 or position == 0 else () for position, length in enumerate(shape)
    )
    return View(layer, source, source)


def lengths_of(axes: Iterable[Axis]) -> list[int]:
    """Return the lengths of axes, -1 for an open one.

    Raises:
        Untranslatable: if several are open.
    """
    lengths = [
        -1 if None in (parts := [atom.length for atom in axis]) else prod(p for p in parts if p) for axis in axes
    ]
    if lengths.count(-1) > 1:
        raise Untranslatable("several lengths of its result are open; send ?input_shape=")
    return lengths


def rearrangement(view: View) -> Iterator[dict[str, object]]:
    """Yield the layers that make the value from the layer's result: at most a reshape, a transpose and a reshape.

    Raises:
        Untranslatable: if the first axis does not count the examples.
    """
    if not view.counts_examples:
        raise Untranslatable("the first axis of its input does not count the examples")
    parts = [atom for axis in view.source[1:] for atom in axis]
    wanted = [atom for axis in view.axes[1:] for atom in axis]
    if parts != wanted:
        if [(part,) for part in parts] != list(view.source[1:]):
            yield {"kind": "reshape", "shape": lengths_of((part,) for part in parts)}
        yield {"kind": "transpose", "axes": [0, *(1 + parts.index(atom) for atom in wanted)]}
    shape = [(atom,) for atom in wanted] if parts != wanted else list(view.source[1:])
    if shape != list(view.axes[1:]):
        flat = len(view.axes) == 2
        yield {"kind": "flatten"} if flat else {"kind": "reshape", "shape": lengths_of(view.axes[1:])}
