"""The equations of group normalisation: statistics are those of the last axis of n x groups x numbers."""

from __future__ import annotations

from core.arrays import Shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout


def group_norm_derivation(layout: Layout, grouped: Shape, epsilon: float) -> Derivation:
    """Return the equations of group_norm.

    Args:
        layout: shapes and convention.
        grouped: n x groups x numbers of one group.
        epsilon: added to the variance.
    """
    x = layout.core_shape(layout.inputs[0])
    X, dZ = layout.core("<X>", layout.inputs[0]), layout.core("<dZ>", layout.result)
    channels = (1, x[1], *[1] * (len(x) - 2))
    gamma, beta = f"<gamma>.reshape({channels})", f"<beta>.reshape({channels})"
    every, over = tuple(axis for axis in range(len(x)) if axis != 1), "axis=-1, keepdims=True"
    dX = f"((<dX_hat> - <dX_hat>.mean({over}) - <X_hat> * (<dX_hat> * <X_hat>).mean({over})) / <s>).reshape({x})"
    return Derivation(
        [
            Equation(
                "groups",
                r"\operatorname{groups}(<X>)",
                f"{X}.reshape({grouped})",
                "The numbers of each group of channels side by side: examples x groups x numbers.",
                "G",
            ),
            Equation(
                "mu",
                r"\operatorname{mean}(<groups>)",
                f"<groups>.mean({over})",
                "The mean over each group of each example.",
                r"\mu",
            ),
            Equation(
                "s",
                rf"\sqrt{{\operatorname{{mean}}\bigl((<groups> - <mu>)^2\bigr) + {epsilon:g}}}",
                f"np.sqrt(((<groups> - <mu>)**2).mean({over}) + {epsilon!r})",
                r"The standard deviation over each group, with $\varepsilon$ under the root.",
            ),
            Equation(
                "X_hat",
                "(<groups> - <mu>) / <s>",
                "(<groups> - <mu>) / <s>",
                r"Standardised: $\hat x = (x - \mu) / s$.",
                r"\hat X",
            ),
            Equation(
                "Z",
                r"<gamma> \circ <X_hat> + <beta>",
                layout.sent(f"{gamma} * <X_hat>.reshape({x}) + {beta}", layout.result),
                r"$\gamma$ scales and $\beta$ shifts every channel.",
            ),
        ],
        [
            Equation(
                "d_gamma",
                r"\textstyle\sum <dZ> \circ <X_hat>",
                f"({dZ} * <X_hat>.reshape({x})).sum(axis={every})",
                r"$\partial z / \partial \gamma = \hat x$, summed over examples and positions.",
            ),
            Equation(
                "d_beta",
                r"\textstyle\sum <dZ>",
                f"{dZ}.sum(axis={every})",
                r"$\partial z / \partial \beta = 1$, summed over examples and positions.",
            ),
            Equation(
                "dX_hat",
                r"<gamma> \circ <dZ>",
                f"({gamma} * {dZ}).reshape({grouped})",
                r"$\partial z / \partial \hat x = \gamma$; in groups again.",
                r"\partial \hat X",
            ),
            Equation(
                "dX",
                r"\bigl(<dX_hat> - \operatorname{mean}(<dX_hat>)"
                r" - <X_hat> \circ \operatorname{mean}(<dX_hat> \circ <X_hat>)\bigr) / <s>",
                layout.sent(dX, layout.inputs[0]),
                r"$x$ acts directly, through $\mu$ and through $s$: the two means are the terms through $\mu$ and $s$.",
            ),
        ],
    )
