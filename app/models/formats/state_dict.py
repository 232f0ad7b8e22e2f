"""torch state_dicts: the names of their tensors (`0.weight`, `norm.running_var`), and networks inferred from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.models.formats.imported import Imported, ImportOptions
from core.activations import FUNCTIONS
from core.arrays import Array
from core.convention import Convention
from core.errors import Issue, refuse_if_any
from core.layers import Layer
from core.layers.batch_norm import BatchNorm
from core.layers.dense import Dense
from core.layers.gru import Gru
from core.layers.lstm import Lstm
from core.layers.rnn import Rnn
from core.layers.shared.recurrence import Recurrent
from core.model import Arrays, fits_transposed
from core.network import names_of

NORMALISATION = {"weight": ("parameters", "gamma"), "bias": ("parameters", "beta")}
NAMES: dict[str, dict[str, tuple[str, str]]] = {
    "batch_norm": {
        **NORMALISATION,
        "running_mean": ("state", "running_mean"),
        "running_var": ("state", "running_variance"),
    },
    "layer_norm": NORMALISATION,
    "rms_norm": NORMALISATION,
    "group_norm": NORMALISATION,
    "prelu": {"weight": ("parameters", "negative_slope")},
    "multi_head_attention": {
        "in_proj_weight": ("parameters", "in_weight"),
        "in_proj_bias": ("parameters", "in_bias"),
        "out_proj.weight": ("parameters", "out_weight"),
        "out_proj.bias": ("parameters", "out_bias"),
    },
    **{
        kind: {
            f"{theirs}{direction}": ("parameters", f"{ours}{direction}")
            for direction in ("", "_reverse")
            for theirs, ours in {
                "weight_ih_l0": "weight",
                "weight_hh_l0": "recurrent_weight",
                "bias_ih_l0": "bias",
                "bias_hh_l0": "recurrent_bias",
            }.items()
        }
        for kind in ("rnn", "lstm", "gru")
    },
}
"""Tensors that have another name in torch than here, by kind of layer. All other names are the same."""

GATES_OF_TORCH = {"rnn": Rnn(units=1).gates(), "lstm": Lstm(units=1).gates(), "gru": Gru(units=1).gates()}
"""The order of the gates' blocks in torch's tensors, which is the default here."""

TensorsByLayer = dict[str, dict[str, Array]]

COUNTERS = "num_batches_tracked"
"""The name of a torch counter that takes no part in any computation."""


def to_torch_names(layers: Sequence[Layer], parameters: Arrays, state: Arrays) -> dict[str, Array]:
    """Return the tensors of a model, which must be in the convention `torch`, under torch's names."""
    tensors = {}
    for name, layer in zip(names_of(layers), layers, strict=True):
        of_torch = {place: theirs for theirs, place in NAMES.get(layer.kind, {}).items()}
        for part, arrays in (("parameters", parameters), ("state", state)):
            for ours, array in arrays.get(name, {}).items():
                tensors[f"{name}.{of_torch.get((part, ours), ours)}"] = _in_order(layer, array, "torch", to_torch=True)
    return tensors


def from_torch_names(
    tensors: Mapping[str, Array], layers: Sequence[Layer], convention: Convention
) -> tuple[TensorsByLayer, TensorsByLayer]:
    """Return the parameters and state of known layers from tensors with torch's names, and gates in torch's order.

    Raises:
        Refusal: `unknown-name`, with every tensor that belongs to no layer.
    """
    found: dict[str, dict[str, dict[str, Array]]] = {"parameters": {}, "state": {}}
    known = sorted(zip(names_of(layers), layers, strict=True), key=lambda pair: -len(pair[0]))
    issues = []
    for name, array in tensors.items():
        if name.rpartition(".")[2] == COUNTERS:
            continue
        layer_name, layer = next((pair for pair in known if name.startswith(f"{pair[0]}.")), ("", None))
        if layer is None:
            names = [name for name, _ in known]
            detail = f"The tensor {name[:60]!r} belongs to no layer: the layers are {', '.join(names[:20])}."
            hint = 'Name the layers as the modules are named: 0.weight belongs to the layer "0".'
            issues.append(Issue(code="unknown-name", path=(name[:200],), detail=detail, expected=names[:50], hint=hint))
            continue
        theirs = name.removeprefix(f"{layer_name}.")
        part, ours = NAMES.get(layer.kind, {}).get(theirs, ("parameters", theirs))
        found[part].setdefault(layer_name, {})[ours] = _in_order(layer, array, convention, to_torch=False)
    refuse_if_any(issues)
    _join_biases(found["parameters"], dict(known))
    return found["parameters"], found["state"]


def _in_order(layer: Layer, array: Array, convention: Convention, *, to_torch: bool) -> Array:
    """Return a recurrent layer's parameter with the blocks of its gates in torch's order, or from it in the layer's own.

    A tensor that has no such blocks stays as it is: shapes are compared later.
    """
    if not isinstance(layer, Recurrent):
        return array
    own, of_torch = layer.gates(), GATES_OF_TORCH[layer.kind]
    axis = array.ndim - 1 if convention == "row" else 0
    if own == of_torch or not array.ndim or array.shape[axis] != len(own) * layer.units:
        return array
    have, wanted = (own, of_torch) if to_torch else (of_torch, own)
    blocks = dict(zip(have, np.split(array, len(own), axis), strict=True))
    return np.concatenate([blocks[gate] for gate in wanted], axis)


def _join_biases(parameters: dict[str, dict[str, Array]], layers: Mapping[str, Layer]) -> None:
    """Add the second bias that torch has in rnn and lstm to the first; here these layers have one bias."""
    for name, tensors in parameters.items():
        for end in ("", "_reverse") if layers[name].kind in ("rnn", "lstm") else ():
            if f"recurrent_bias{end}" in tensors:
                second, bias = tensors.pop(f"recurrent_bias{end}"), f"bias{end}"
                tensors[bias] = tensors[bias] + second if bias in tensors else second


@dataclass(frozen=True, slots=True)
class _Module:
    """The tensors of one torch module."""

    name: str
    tensors: dict[str, Array]


def infer_network(tensors: Mapping[str, Array], options: ImportOptions) -> Imported:
    """Infer a chain of dense layers, each optionally followed by a batch_norm, from the shapes of their tensors.

    A state_dict does not record the activation functions between the layers, nor the order of modules whose names are not
    numbers; the result has warnings about both.

    Raises:
        Refusal: `unsupported-operator`, if the tensors of a module do not determine its kind; `shape-mismatch`, if a layer
            does not fit the preceding one.
    """
    modules = list(_modules(tensors))
    issues = [issue for module in modules for issue in _kind_issues(module)]
    refuse_if_any(issues)
    convention = options.convention or "torch"
    layers = [_layer(module, convention) for module in modules]
    refuse_if_any([*unknown_functions(options), *_chain_issues(modules, convention)])
    layers = _with_activations(layers, options)
    parameters, state = from_torch_names(tensors, layers, convention)
    warnings = list(_warnings(modules, options))
    if options.convention is None:
        warnings += ambiguities(layers, parameters)
    return Imported(layers, parameters, state, convention, warnings)


def ambiguities(layers: Sequence[Layer], parameters: Arrays) -> list[Issue]:
    """Return a warning if every matrix, which is read as torch's, would also fit transposed."""
    in_row = {name: {key: array.T for key, array in named.items()} for name, named in parameters.items()}
    if not fits_transposed(layers, in_row):
        return []
    detail = "Nothing names the convention, so 'torch' was assumed; but every weight would also fit transposed."
    hint = "Send ?convention=torch, or ?convention=row if the weights are in x out."
    return [Issue(code="ambiguous-convention", path=("query", "convention"), detail=detail, hint=hint)]


def _modules(tensors: Mapping[str, Array]) -> Iterable[_Module]:
    """Yield the modules, sorted by name, with numbers in names sorted by value."""
    found: dict[str, dict[str, Array]] = {}
    for path, array in tensors.items():
        name, _, tensor = path.rpartition(".")
        if tensor != COUNTERS:
            found.setdefault(name, {})[tensor] = array
    for name in sorted(found, key=_natural):
        yield _Module(name, found[name])


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() and len(part) < 10 else (-1, part) for part in re.split(r"(\d+)", name)]


def _is_norm(module: _Module) -> bool:
    return set(module.tensors) == {"weight", "bias", "running_mean", "running_var"}


def _is_dense(module: _Module) -> bool:
    weight = module.tensors.get("weight")
    return weight is not None and weight.ndim == 2 and set(module.tensors) <= {"weight", "bias"}


def _kind_issues(module: _Module) -> Iterable[Issue]:
    """Yield an issue if the tensors of a module do not determine the kind of the layer."""
    shapes = {name: list(array.shape) for name, array in module.tensors.items()}
    weight = module.tensors.get("weight")
    if not module.name:
        detail = "The names of the tensors do not start with the name of a module, as in 0.weight and 0.bias."
    elif _is_norm(module) or _is_dense(module):
        return
    else:
        detail = f"The module {module.name[:60]!r} has the tensors {shapes}, which do not determine its kind of layer."
        if weight is not None and weight.ndim in (3, 4):
            detail += " A convolution also has a stride and a padding, and pooling has no tensors at all."
    hint = 'Send the network, in the metadata of the file as "gradd": {"network": {"layers": [...]}} or as ?network=.'
    yield Issue(code="unsupported-operator", path=(module.name[:200],), detail=detail[:500], hint=hint)


def _layer(module: _Module, convention: Convention) -> Layer:
    if _is_norm(module):
        return BatchNorm(name=module.name, mode="eval")
    return Dense(name=module.name, units=_widths(module, convention)[1], bias="bias" in module.tensors)


def _widths(module: _Module, convention: Convention) -> tuple[int, int]:
    """Return the number of features that a module reads, and the number that it gives."""
    shape = module.tensors["weight"].shape
    return (shape[0], shape[-1]) if convention == "row" else (shape[-1], shape[0])


def _chain_issues(modules: Sequence[_Module], convention: Convention) -> Iterable[Issue]:
    """Yield an issue for each layer whose input size differs from the preceding layer's output size."""
    width, before = None, ""
    for module in modules:
        reads, gives = _widths(module, convention)
        if width is not None and reads != width:
            yield Issue(
                code="shape-mismatch",
                path=(module.name[:200],),
                detail=f"The module {module.name[:60]!r} reads {reads} features; {before[:60]!r} before it has {width}.",
                expected=width,
                got=reads,
                hint="Modules are assumed to run in the order of their names. If they do not, send the network."
                + ("" if convention == "row" else " If the weights are in x out, send ?convention=row."),
            )
        width, before = gives, module.name


def unknown_functions(options: ImportOptions) -> Iterable[Issue]:
    """Yield an issue for each activation function of the options that does not exist."""
    for field, name in (("activation", options.activation), ("output_activation", options.output_activation)):
        if name is not None and name not in FUNCTIONS:
            detail = f"There is no activation function {name[:60]!r}."
            yield Issue(code="unknown-name", path=("query", field), detail=detail, expected=list(FUNCTIONS))


def _with_activations(layers: Sequence[Layer], options: ImportOptions) -> list[Layer]:
    """Return the layers with an activation function after each dense layer, or after the batch_norm that follows it."""
    last = max(position for position, layer in enumerate(layers) if isinstance(layer, Dense)) if layers else 0
    found = []
    for position, layer in enumerate(layers):
        is_output = position >= last
        is_followed = position + 1 < len(layers) and isinstance(layers[position + 1], BatchNorm)
        name = options.output_activation if is_output else options.activation
        found.append(layer if is_followed or name is None else replace(layer, activation=name))
    return found


def _warnings(modules: Sequence[_Module], options: ImportOptions) -> Iterable[Issue]:
    if options.activation is None and sum(not _is_norm(module) for module in modules) > 1:
        yield Issue(
            code="assumed-activation",
            path=("query", "activation"),
            detail="A state_dict does not record the activation functions between its layers; none were assumed.",
            hint="Send ?activation=relu (all layers except the last) and ?output_activation=softmax (the last).",
        )
    if (
        any(not part.isdecimal() for module in modules for part in [module.name.rpartition(".")[2]])
        and len(modules) > 1
    ):
        order = ", ".join(module.name[:40] for module in modules[:20])
        detail = (
            f"A state_dict does not record the order of its modules; the order of their names was assumed: {order}."
        )
        yield Issue(code="assumed-order", path=("query", "network"), detail=detail, hint="Send the network.")
