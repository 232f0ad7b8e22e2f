"""Arrays of scikit-learn: `coefs_` and `intercepts_` of perceptrons, `coef_` and `intercept_` of linear models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from app.models.formats.imported import Imported, ImportOptions
from app.models.formats.state_dict import unknown_functions
from core.arrays import Array
from core.convention import Convention
from core.errors import Issue, Refusal, refuse_if_any
from core.layers.dense import Dense

FUNCTIONS = {"logistic": "sigmoid"}
"""Activation functions that have another name in scikit-learn than here."""

TEXTS = ("activation", "out_activation_")
"""Arrays of text that say which functions stand between the layers."""

LINEAR = {"coef_", "intercept_", "classes_"}
_NUMBERED = re.compile(r"(coefs|intercepts)_?[._]?\[?(\d{1,4})\]?")


def is_sklearn(names: Iterable[str]) -> bool:
    """Return whether arrays have the names that scikit-learn gives them."""
    found = set(names)
    return "coef_" in found <= LINEAR or (bool(found) and all(_NUMBERED.fullmatch(name) for name in found))


def from_sklearn(arrays: Mapping[str, Array], texts: Mapping[str, str], options: ImportOptions) -> Imported:
    """Return the model of the arrays of an estimator, which are in x out where there are several layers.

    Raises:
        Refusal: `unknown-name` for an activation function that does not exist; `shape-mismatch` for layers that do not fit.
    """
    said = {name: FUNCTIONS.get(text, text) for name, text in texts.items()}
    weights, biases = _linear(arrays) if "coef_" in arrays else _layers(arrays)
    convention: Convention = options.convention or "row"
    outputs = [weight.shape[-1] if convention == "row" else weight.shape[0] for weight in weights]
    last = options.output_activation or said.get("out_activation_")
    if last is None and "classes_" in arrays:
        last = "sigmoid" if outputs[-1] == 1 else "softmax"
    chosen = replace(options, activation=options.activation or said.get("activation"), output_activation=last)
    refuse_if_any([*unknown_functions(chosen), *_misfits(weights, convention)])
    layers, parameters = [], {}
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True), 1):
        function = last if number == len(weights) else chosen.activation
        dense = Dense(units=outputs[number - 1], bias=bias is not None)
        layers.append(dense if function is None else replace(dense, activation=function))
        parameters[str(number)] = {"weight": weight} | ({} if bias is None else {"bias": bias})
    return Imported(layers, parameters, convention=convention, warnings=list(_warnings(len(layers), chosen)))


def _linear(arrays: Mapping[str, Array]) -> tuple[list[Array], list[Array | None]]:
    """Return the only layer of a linear model, whose coefficients are out x in in scikit-learn."""
    coefficients = np.atleast_2d(arrays["coef_"])
    if coefficients.ndim != 2:
        detail = f"The array 'coef_' has the shape {list(coefficients.shape)}; it is a matrix, classes x features."
        raise Refusal.of("shape-mismatch", detail, "coef_", got=list(coefficients.shape))
    bias = np.atleast_1d(arrays["intercept_"]) if "intercept_" in arrays else None
    return [np.ascontiguousarray(coefficients.T)], [bias]


def _layers(arrays: Mapping[str, Array]) -> tuple[list[Array], list[Array | None]]:
    found: dict[str, dict[int, Array]] = {"coefs": {}, "intercepts": {}}
    for name, array in arrays.items():
        match = _NUMBERED.fullmatch(name)
        if match is not None:
            found[match[1]][int(match[2])] = array
    numbers = sorted(found["coefs"])
    stray = [number for number in found["intercepts"] if number not in found["coefs"]]
    if stray or not numbers or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        detail = f"The arrays coefs_ have the numbers {numbers[:20]}, and the intercepts_ {sorted(found['intercepts'])[:20]}."
        raise Refusal.of("invalid-request", detail, "coefs_", hint="Number both without a gap, from 0 on.")
    flat = [number for number in numbers if found["coefs"][number].ndim != 2]
    if flat:
        shape = list(found["coefs"][flat[0]].shape)
        detail = f"The array coefs_{flat[0]} has the shape {shape}; it is a matrix, inputs x outputs."
        raise Refusal.of("shape-mismatch", detail, f"coefs_{flat[0]}", got=shape)
    return [found["coefs"][number] for number in numbers], [found["intercepts"].get(number) for number in numbers]


def _misfits(weights: list[Array], convention: Convention) -> Iterable[Issue]:
    """Yield an issue for each layer that does not read what the one before it gives."""
    reads, gives = (0, 1) if convention == "row" else (1, 0)
    for number, (before, weight) in enumerate(pairwise(weights), 1):
        if before.shape[gives] != weight.shape[reads]:
            detail = (
                f"coefs_{number} reads {weight.shape[reads]} features; coefs_{number - 1} gives {before.shape[gives]}."
            )
            yield Issue(
                code="shape-mismatch",
                path=(f"coefs_{number}",),
                detail=detail,
                expected=before.shape[gives],
                got=weight.shape[reads],
            )


def _warnings(count: int, options: ImportOptions) -> Iterable[Issue]:
    if (options.activation is None and count > 1) or options.output_activation is None:
        yield Issue(
            code="assumed-activation",
            path=("query", "activation"),
            detail="The arrays do not say which activation functions stand between and behind the layers; "
            "where none was named, none was assumed.",
            hint="Send ?activation=relu and ?output_activation=softmax, or save activation=m.activation and "
            "out_activation_=m.out_activation_ with the arrays.",
        )
