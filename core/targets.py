"""Targets and sample weights: converted to the shape of the network's output, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.arrays import Array, Shape
from core.convention import Convention, tensor, tensor_shape
from core.errors import Issue, Refusal
from core.losses import Loss
from core.nonfinite import cast

AT_TARGETS = ("batch", "targets")


def fit_to_output(
    sent: Array, output: Shape, convention: Convention, path: tuple[str, ...], dtype: np.dtype[Any], loss: Loss
) -> Array:
    """Return a tensor of the output's shape in the core's view.

    Under `column` a single example may be a flat list.

    Raises:
        Refusal: `shape-mismatch`.
    """
    wanted = tensor_shape(output, convention)
    if sent.shape == wanted:
        return cast(tensor(sent, convention), dtype, *path)
    if convention == "column" and sent.ndim == 1 and output == (1, len(sent)):
        return cast(sent.reshape(output), dtype, *path)
    raise Refusal.of(
        "shape-mismatch",
        f"The network's output has shape {list(wanted)} in convention {convention!r}; {'.'.join(path)} has shape "
        f"{list(sent.shape)}.",
        *path,
        expected=list(wanted),
        got=list(sent.shape),
        hint=_fix(sent.shape, wanted, output, loss),
    )


def _fix(got: Shape, wanted: Shape, output: Shape, loss: Loss) -> str | None:
    """The hint for a tensor of another shape than the output, where the fix is plain."""
    if not got:
        return f"A single number is taken for one output of one example; send a matrix of shape {list(wanted)}."
    if len(got) == 1 and len(wanted) == 2 and got[0] == wanted[0] * wanted[1]:
        return f"Send it as a matrix of shape {list(wanted)}."
    if got == wanted[::-1]:
        return "It is transposed."
    if len(got) == 1 and got[0] == output[0] and not loss.takes_class_indices:
        return f"{loss.kind} takes no class numbers; send one number for each output."
    if loss.takes_class_indices and len(output) == 2 and output[1] > 1:
        return f"Send {output[0]} class number{'s' * (output[0] > 1)}, or a matrix of shape {list(wanted)}."
    return None


def targets_for(
    loss: Loss, sent: Array, output: Shape, convention: Convention, first_label: int, dtype: np.dtype[Any]
) -> Array:
    """Return the targets in the shape of the output, batch-first; class numbers become one-hot rows.

    Raises:
        Refusal: `shape-mismatch`, or `invalid-request` for values that the loss cannot compare with.
    """
    if issue := loss.refusal_of_output(output):
        raise Refusal([issue.below("loss")])
    if loss.takes_class_indices and len(output) > 1 and output[-1] > 1 and sent.shape == output[:-1]:
        return one_hot(sent, output[-1], first_label, dtype)
    targets = fit_to_output(loss.as_output(sent, output), output, convention, AT_TARGETS, dtype, loss)
    if issue := loss.refusal_of(targets):
        raise Refusal([issue.below(*AT_TARGETS)])
    return targets


def one_hot(labels: Array, classes: int, first_label: int, dtype: np.dtype[Any]) -> Array:
    """Return a row for each label, 1 at its class and 0 elsewhere.

    Raises:
        Refusal: `invalid-request` for a label that is no class.
    """
    last = first_label + classes - 1
    wrong = np.argwhere((labels != np.floor(labels)) | (labels < first_label) | (labels > last))
    if len(wrong):
        place = tuple(int(index) for index in wrong[0])
        label = labels[place]
        raise Refusal(
            [
                Issue(
                    code="invalid-request",
                    path=(*AT_TARGETS, *place),
                    detail=f"{label:g} is not a class: the output has {classes} classes, numbered {first_label} to {last}.",
                    expected=[first_label, last],
                    got=float(label),
                    hint='Labels that start at 1 are announced by "first_label": 1.' if label == last + 1 else None,
                )
            ]
        )
    rows = np.zeros((*labels.shape, classes), dtype)
    np.put_along_axis(rows, (labels - first_label).astype(np.int64)[..., np.newaxis], 1, axis=-1)
    return rows


def coefficients_for(loss: Loss, examples: int, weight: Array | None, dtype: np.dtype[Any]) -> Array:
    """Return the factor of each example in the batch loss.

    It is 1/n under "mean" and 1 under "sum"; with sample weights, the weight, divided by their sum under "mean".

    Raises:
        Refusal: weights of another number than the examples, negative ones, or a sum of 0 under "mean".
    """
    path = ("batch", "sample_weight")
    if weight is None:
        return np.full(examples, 1 / examples if loss.reduction == "mean" and loss.needs_targets else 1.0, dtype)
    if not loss.needs_targets:
        raise Refusal.of("invalid-request", "sample_weight weights a loss; with upstream there is none.", *path)
    if weight.shape != (examples,):
        detail = f"sample_weight has one number for each of the {examples} examples; its shape is {list(weight.shape)}."
        hint = f"Send it as a list of {examples} number{'s' * (examples > 1)}."
        raise Refusal.of("shape-mismatch", detail, *path, expected=[examples], got=list(weight.shape), hint=hint)
    if (weight < 0).any() or not weight.any():
        raise Refusal.of("invalid-request", "sample_weight takes numbers from 0 on that are not all 0.", *path)
    if loss.reduction == "mean":
        weight = weight.astype(np.float64)
        if weight.max() > np.finfo(np.float64).max / len(weight):  # Their sum may be beyond the largest number.
            weight = weight / weight.max()
        weight = weight / weight.sum()
    return cast(weight, dtype, *path)
