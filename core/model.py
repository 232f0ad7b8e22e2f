"""Models: a network with its parameters and the state of its layers, independent of any convention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from core.arrays import Array, Shape
from core.convention import Convention, layer_parameters
from core.errors import Issue, Refusal, refuse_if_any
from core.layers import Layer
from core.network import INPUT, NetworkLimits, names_of
from core.nonfinite import cast
from core.parameters import Parameter
from core.shape_inference import function_of
from core.shape_issues import stray

V = TypeVar("V")
Arrays = Mapping[str, Mapping[str, Array]]

_PROBE = 720720
"""Length of every axis in probing shapes. A size that depends on the inputs changes if this length is doubled, even after
division by a number of heads or groups."""


@dataclass(frozen=True, slots=True)
class Model:
    """A network with weights in x out and batch-first tensors. A request that uses it may add missing tensors."""

    layers: Sequence[Layer]
    parameters: Arrays = field(default_factory=dict)
    state: Arrays = field(default_factory=dict)

    def parameters_in(self, convention: Convention) -> dict[str, dict[str, Array]]:
        """Return the parameters as a convention writes them. Never copies."""
        layers = dict(zip(names_of(self.layers), self.layers, strict=True))
        return {
            name: layer_parameters(arrays, parameters_of(layers[name]), convention)
            for name, arrays in self.parameters.items()
        }

    def tensors(self) -> dict[str, Array]:
        """Return every tensor by its path, such as `parameters.1.weight`, in alphabetical order."""
        found = {
            f"{part}.{layer}.{name}": array
            for part, arrays in (("parameters", self.parameters), ("state", self.state))
            for layer, named in arrays.items()
            for name, array in named.items()
        }
        return dict(sorted(found.items()))


def parameters_of(layer: Layer) -> dict[str, Parameter]:
    """Return the parameters of a layer without knowing its inputs: names and orientation hold, shapes are placeholders."""
    return _ask(layer.parameters, layer, _PROBE)


def state_of(layer: Layer) -> dict[str, Shape]:
    """Return the state of a layer without knowing its inputs: names hold, shapes are placeholders."""
    return _ask(layer.state, layer, _PROBE)


def validate_model(
    layers: Sequence[Layer], parameters: Arrays, state: Arrays, convention: Convention, limits: NetworkLimits
) -> Model:
    """Return a model in the core's view, checked as far as possible without a batch.

    Raises:
        Refusal: lists every unknown name and every shape that fits no batch.
    """
    names = names_of(layers)
    issues = list(_check_names(names))
    for position, layer in enumerate(layers):
        issues += [issue.below("network", "layers", position) for issue in function_of(layer)[1]]
        try:
            parameters_of(layer)
            layer.function_of_input()
        except Refusal as refusal:
            raise refusal.below("network", "layers", position) from None
        issues += [issue.below("network", "layers", position) for issue in _reads_later(layer, names, position)]
    known = dict(zip(names, layers, strict=True))
    for part, arrays in (("parameters", parameters), ("state", state)):
        issues += [stray(part, name, known) for name in arrays if name not in known]
        for name, named in arrays.items():
            if name in known:
                issues += _misfits(part, name, known[name], named, convention)
    size = sum(array.size for named in parameters.values() for array in named.values())
    if size > limits.parameters:
        detail = f"The model has {size:,} parameters; this server takes {limits.parameters:,}."
        raise Refusal.of("too-large", detail, "parameters", expected=limits.parameters, got=size)
    refuse_if_any(issues)
    in_core = {
        name: layer_parameters(named, parameters_of(known[name]), convention) for name, named in parameters.items()
    }
    return Model(
        layers, {name: named for name, named in in_core.items() if named}, {n: s for n, s in state.items() if s}
    )


def _reads_later(layer: Layer, names: Sequence[str], position: int) -> Iterator[Issue]:
    """Yield the issues of a layer that reads itself or a later layer."""
    for place, name in enumerate(layer.inputs or ()):
        if name not in names[:position] and name in names:
            which = "itself" if name == names[position] else f"the later layer {name[:60]!r}"
            detail = f"The layer {names[position][:60]!r} reads {which}. A layer reads earlier layers or inputs of the batch."
            hint = "Layers are listed in execution order."
            yield Issue(code="unknown-name", path=("inputs", place), detail=detail, got=name[:60], hint=hint)


def fits_transposed(layers: Sequence[Layer], parameters: Arrays) -> bool:
    """Return whether every matrix would also fit if transposed, so that only the convention tells the orientations apart."""
    known = dict(zip(names_of(layers), layers, strict=True))
    turned = [
        (known[name], parameter, array.shape)
        for name, named in parameters.items()
        for parameter, array in named.items()
        if parameters_of(known[name])[parameter].follows_convention
    ]
    return bool(turned) and all(_fits(template(layer)[name], shape[::-1]) for layer, name, shape in turned)


def template(layer: Layer) -> dict[str, tuple[int | None, ...]]:
    """Return the shape of each parameter, with None for each length that depends on the inputs."""
    return _common(*({name: p.shape for name, p in _ask(layer.parameters, layer, d).items()} for d in _LENGTHS))


_LENGTHS = (_PROBE, 2 * _PROBE)


def _ask(about: Callable[..., dict[str, V]], layer: Layer, length: int) -> dict[str, V]:
    """Return what a method of the layer answers for tensors of rank 4, 3 or 2, the first rank that it accepts.

    Raises:
        Refusal: if it accepts none, because the layer's fields contradict each other.
    """
    first: Refusal | None = None
    for rank in (4, 3, 2):
        try:
            return about(*[(length,) * rank] * max(1, layer.reads[0]))
        except Refusal as refusal:
            first = first or refusal
        except IndexError:
            pass  # A layer that reads higher ranks.
    raise first or Refusal.of("invalid-request", f"A {layer.kind} with these fields reads no tensor of rank 2 to 4.")


def _common(one: Mapping[str, Shape], other: Mapping[str, Shape]) -> dict[str, tuple[int | None, ...]]:
    """Return the lengths on which two answers about the same tensors agree, None for the others."""
    return {name: tuple(a if a == b else None for a, b in zip(one[name], other[name], strict=True)) for name in one}


def _fits(wanted: tuple[int | None, ...], got: Shape) -> bool:
    return len(wanted) == len(got) and all(a in (None, b) for a, b in zip(wanted, got, strict=True))


def _check_names(names: Sequence[str]) -> Iterator[Issue]:
    """Yield an issue for each name that is used twice."""
    for position, name in enumerate(names):
        if name in names[:position] or name == INPUT:
            detail = f"The name {name!r} is taken; every name is used once."
            yield Issue(code="invalid-request", path=("network", "layers", position, "name"), detail=detail)


def _misfits(part: str, name: str, layer: Layer, named: Mapping[str, Array], convention: Convention) -> Iterator[Issue]:
    """Yield an issue for each tensor of one layer that is unknown or has a wrong shape."""
    if part == "parameters":
        turned = {
            key: parameter.follows_convention and convention != "row" for key, parameter in parameters_of(layer).items()
        }
        wanted = {key: shape[::-1] if turned[key] else shape for key, shape in template(layer).items()}
    else:
        wanted = _common(*(_ask(layer.state, layer, length) for length in _LENGTHS))
    for key, array in named.items():
        if key not in wanted:
            detail = (
                f"Layer {name!r} ({layer.kind}) has no {'parameter' if part == 'parameters' else part} {key[:60]!r}."
            )
            yield Issue(code="unknown-name", path=(part, name, key), detail=detail, expected=list(wanted), got=key[:60])
        elif not _fits(wanted[key], array.shape):
            shape = ", ".join("any" if length is None else str(length) for length in wanted[key])
            yield Issue(
                code="shape-mismatch",
                path=(part, name, key),
                detail=f"The {key} of layer {name!r} ({layer.kind}) has the shape [{shape}] in convention {convention!r}; "
                f"this one has {list(array.shape)}.",
                expected=list(wanted[key]),
                got=list(array.shape),
                equation=layer.equation(convention),
                hint="It is transposed." if _fits(wanted[key][::-1], array.shape) and array.ndim == 2 else None,
            )


def in_precision(arrays: Arrays, dtype: str | None, part: str) -> dict[str, dict[str, Array]]:
    """Return the arrays in a precision, unchanged if `dtype` is None.

    Raises:
        Refusal: `non-finite` for numbers beyond the range of float32.
    """
    return {
        layer: {
            name: array if dtype is None else cast(array, np.dtype(dtype), part, layer, name)
            for name, array in named.items()
        }
        for layer, named in arrays.items()
    }
