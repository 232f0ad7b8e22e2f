"""The numbers that stand for activation functions, losses and optimizers in the compiled function."""

from __future__ import annotations

IDENTITY, RELU, LEAKY_RELU, TANH, SIGMOID, SOFTPLUS = range(6)
"""Activation functions."""

ON_SOFTMAX, ON_SIGMOID, HALF_SQUARES, MEAN_SQUARES, FUSED_SOFTMAX, FUSED_SIGMOID = range(6)
"""Losses: of logits; of distances; and of logits where the function that they apply is the last layer's activation."""

PLAIN, MOMENTUM, NESTEROV, RUDER_MOMENTUM, MOMENTS = range(5)
"""Updates of θ."""
