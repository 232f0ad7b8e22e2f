"""Shapes that are accepted besides the documented ones, where they can mean one thing only.

* A parameter of shape (h) may be sent as (1, h) or (h, 1), or as a number where h is 1.
* A weight in x 1 may be sent as a flat list of `in` numbers.
* Targets and upstream gradients may be sent flat for one output or one example, as a number where there is one of each.
* Class numbers may be sent as a column (n, 1), under `column` also as a row (1, n).
"""

from __future__ import annotations

from core.arrays import Array, Shape
from core.convention import Convention, parameter_shape, tensor_shape
from core.losses import Loss
from core.parameters import Parameter


def documented_parameter(sent: Array, parameter: Parameter, convention: Convention) -> Array:
    """Return a parameter in its documented shape, or as it was sent if its shape is not an accepted one."""
    wanted = parameter_shape(parameter, convention)
    accepted: set[Shape] = set()
    if len(wanted) == 1:
        accepted = {(1, *wanted), (*wanted, 1)}
        if wanted == (1,):
            accepted.add(())
    elif parameter.follows_convention and parameter.shape[1] == 1:
        accepted = {parameter.shape[:1]}
    return sent.reshape(wanted) if sent.shape in accepted else sent


def documented_targets(sent: Array, output: Shape, convention: Convention, loss: Loss) -> Array:
    """Return targets or upstream gradients in their documented shape, or as they were sent if it is not accepted."""
    wanted = tensor_shape(output, convention)
    if sent.shape == wanted:
        return sent
    if loss.takes_class_indices and len(output) > 1 and output[-1] > 1:
        numbers, one_example = output[:-1], output[:-1] == (1,)
        as_row = convention == "column" and len(numbers) == 1 and sent.shape == (1, *numbers)
        if sent.shape == (*numbers, 1) or as_row or (one_example and not sent.ndim):
            return sent.reshape(numbers)
        if sent.shape == numbers:
            return sent
    flat = sent.ndim == 1 and len(output) == 2 and 1 in output and sent.size == output[0] * output[1]
    number = sent.ndim == 0 and all(length == 1 for length in output)
    return sent.reshape(wanted) if flat or number else sent
