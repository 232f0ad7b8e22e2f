"""Activation functions against torch, where it is installed: values, and derivatives at kinks too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.activations.choice import Function
from tests.core.activations.test_every_activation import derivatives_of, values_of

torch: Any = pytest.importorskip("torch", reason="torch is no dependency; with it, functions are compared with its own")
of_torch = torch.nn.functional

Z = np.concatenate([np.linspace(-5, 5, 81), [-3.0, 3.0, 0.0]])
POSITIVE = np.linspace(0.1, 5, 41)


@pytest.mark.parametrize(
    ("function", "theirs", "arguments"),
    [
        (Function(function="hard_sigmoid"), of_torch.hardsigmoid, Z),
        (Function(function="hard_swish"), of_torch.hardswish, Z),
        (Function(function="mish"), of_torch.mish, Z),
        (Function(function="erf"), torch.erf, Z),
        (Function(function="clip", lower=-3.0, upper=3.0), lambda z: torch.clamp(z, -3, 3), Z),
        (Function(function="clip", upper=0.0), lambda z: torch.clamp(z, max=0), Z),
        (Function(function="clip", lower=1.0, upper=-1.0), lambda z: torch.clamp(z, 1, -1), Z),
        (Function(function="abs"), torch.abs, Z),
        (Function(function="sqrt"), torch.sqrt, POSITIVE),
        (Function(function="reciprocal"), torch.reciprocal, POSITIVE),
        (Function(function="power", exponent=3.0), lambda z: torch.pow(z, 3), Z),
        (Function(function="power", exponent=0.0), lambda z: torch.pow(z, 0), Z),
        (Function(function="power", exponent=-1.5), lambda z: torch.pow(z, -1.5), POSITIVE),
    ],
    ids=lambda value: value.function if isinstance(value, Function) else "",
)
def test_values_and_derivatives(function: Function, theirs: Callable[[Any], Any], arguments: Any) -> None:
    z = torch.tensor(arguments, requires_grad=True)
    result = theirs(z)
    result.sum().backward()
    ours = function.resolve()
    np.testing.assert_allclose(values_of(ours, arguments), result.detach().numpy(), rtol=1e-13, atol=1e-15)
    found = derivatives_of(ours, arguments, np.ones_like(arguments))
    single = 1e-7 if function.function == "hard_sigmoid" else 1e-12  # Its slope in torch is 1/6 as a float32.
    np.testing.assert_allclose(found, z.grad.numpy(), rtol=single, atol=1e-14)
