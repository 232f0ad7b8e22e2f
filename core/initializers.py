"""Random initial parameters, drawn with an explicit seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from core.arrays import Array
from core.network import Node
from core.parameters import Parameter


def initial_parameters(node: Node, nodes: Sequence[Node], seed: int, dtype: DTypeLike) -> dict[str, Array]:
    """Return the initial parameters of one layer, which depend on the seed and the position, not on other layers' sizes."""
    generator = np.random.Generator(np.random.PCG64([seed, node.position]))
    scheme = scheme_of(node, nodes)
    return {name: draw(generator, scheme, parameter).astype(dtype) for name, parameter in node.parameters.items()}


def draw(generator: np.random.Generator, scheme: str, parameter: Parameter) -> Array:
    """Draw one parameter: a constant, or random numbers with the variance of a scheme.

        glorot   Var = 2 / (fan_in + fan_out)     Glorot & Bengio (2010)
        he       Var = 2 / fan_in                 He et al. (2015)
        lecun    Var = 1 / fan_in                 LeCun et al. (1998)

    `uniform` draws from ±√(3 Var), `normal` from a normal distribution.
    """
    if parameter.initial != "scheme" or scheme == "zeros":
        return np.full(parameter.shape, 1.0 if parameter.initial == "ones" else 0.0)
    name, distribution = scheme.split("_")
    inputs, outputs = parameter.fan_in, parameter.fan_out
    variance = {"glorot": 2 / (inputs + outputs), "he": 2 / inputs, "lecun": 1 / inputs}[name]
    if distribution == "normal":
        return generator.normal(0.0, math.sqrt(variance), parameter.shape)
    bound = math.sqrt(3 * variance)
    return generator.uniform(-bound, bound, parameter.shape)


def scheme_of(node: Node, nodes: Sequence[Node]) -> str:
    """Return the initializer that the layer names; by default He normal before a rectifier, Glorot uniform otherwise."""
    named: str = getattr(node.layer, "initializer", "default")
    if named != "default":
        return named
    followers = [other.layer for other in nodes if node.name in other.reads]
    rectified = node.function.rectifies or any(layer.rectifies_input() for layer in followers)
    return "he_normal" if rectified else "glorot_uniform"
