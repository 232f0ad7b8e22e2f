"""The running moments that Adam and its relatives share, as equations."""

from __future__ import annotations

from core.explaining.equation import Equation


def moments(beta1: float, beta2: float) -> list[Equation]:
    """m and v."""
    return [
        Equation(
            "first_moment",
            rf"{beta1:g} <first_moment> + {1 - beta1:g} <g>",
            f"{beta1!r} * <first_moment> + {1 - beta1} * <g>",
            "A running mean of the gradients.",
            "m",
        ),
        Equation(
            "second_moment",
            rf"{beta2:g} <second_moment> + {1 - beta2:g} <g>^2",
            f"{beta2!r} * <second_moment> + {1 - beta2} * <g>**2",
            "A running mean of their squares.",
            "v",
        ),
    ]
