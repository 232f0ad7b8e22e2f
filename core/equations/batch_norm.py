"""The five published forms of the backward pass of batch normalisation, as equations (S13)."""

from __future__ import annotations

from core.equations.equation import Equation
from core.equations.layout import Layout

WHY_MEAN = "The mean of each feature over the batch. It depends on every example."
WHY_ROOT = (
    r"The standard deviation of each feature, with $\varepsilon$ under the root. It depends on every example too."
)


def batch_norm_forms(layout: Layout, dZ: str, gamma: str, axes: tuple[int, ...], N: int) -> list[Equation]:
    """Return dX in five forms that agree to rounding; the last one is passed to the layer below."""
    rest = f"axis={axes}, keepdims=True"

    def sent(expression: str) -> str:
        return layout.sent(expression, layout.inputs[0])

    X = layout.core("<X>", layout.inputs[0])
    staged = [
        Equation("dX_hat", r"<gamma> \circ <dZ>", f"{dZ} * {gamma}",
                 "Kratzert's steps 9 and 8: back through shift and scale.", r"\partial \hat X"),
        Equation("d_inverse", r"\textstyle\sum <dX_hat> \circ (<X> - <mu>)", f"(<dX_hat> * ({X} - <mu>)).sum({rest})",
                 r"Step 7: $\hat x = (x - \mu) \cdot (1/s)$, by its second factor.", r"\partial \tfrac{1}{s}"),
        Equation("d_centred_1", "<dX_hat> / <s>", "<dX_hat> / <s>", "Step 7, by its first factor.",
                 r"\partial (X - \mu)'"),
        Equation("d_root", r"-<d_inverse> / <s>^2", "-<d_inverse> / <s>**2", "Step 6: $d(1/s) = -ds/s^2$.", r"\partial s"),
        Equation("d_variance", r"<d_root> / (2 <s>)", "0.5 * <d_root> / <s>", "Step 5: back through the square root.",
                 r"\partial \sigma^2"),
        Equation("d_squares", rf"\tfrac{{1}}{{{N}}} \mathbf{{1}} <d_variance>", f"<d_variance> / {N} * np.ones_like({X})",
                 "Step 4: each of N numbers receives 1/N of the gradient of their mean.", r"\partial (X - \mu)^2"),
        Equation("d_centred_2", r"2 (<X> - <mu>) \circ <d_squares>", f"2 * ({X} - <mu>) * <d_squares>",
                 "Step 3: back through the square.", r"\partial (X - \mu)''"),
        Equation("d_centred", "<d_centred_1> + <d_centred_2>", "<d_centred_1> + <d_centred_2>",
                 r"$\hat x$ and the square both read $x - \mu$: the gradients add up.", r"\partial (X - \mu)"),
        Equation("d_mu", r"-\textstyle\sum <d_centred>", f"-<d_centred>.sum({rest})", r"Step 2: $x - \mu$, by $\mu$.",
                 r"\partial \mu"),
        Equation("by_stages", rf"<d_centred> + \tfrac{{1}}{{{N}}} \mathbf{{1}} <d_mu>", sent(f"<d_centred> + <d_mu> / {N}"),
                 r"Step 1: $x$ acts through its mean $\mu$ and directly through $x - \mu$.",
                 r"\tfrac{\partial L}{\partial X}^{\text{stages}}"),
    ]  # fmt: skip
    by_sums = Equation(
        "by_sums",
        rf"\bigl({N} <dX_hat> - \textstyle\sum <dX_hat> - <X_hat> \circ \sum <dX_hat> \circ <X_hat>\bigr) / ({N} <s>)",
        sent(f"({N} * <dX_hat> - <dX_hat>.sum({rest}) - <X_hat> * (<dX_hat> * <X_hat>).sum({rest})) / ({N} * <s>)"),
        "Zakka's form: all terms over one denominator.",
        r"\tfrac{\partial L}{\partial X}^{\text{sums}}",
    )
    by_rows = Equation(
        "by_rows",
        rf"\tfrac{{<gamma>}}{{<s>}} \circ "
        rf"\bigl(<dZ> - \tfrac{{1}}{{{N}}} \textstyle\sum_j (1 + \hat x_i \hat x_j) \partial z_j\bigr)",
        sent(f"{gamma} / <s> * ({dZ} - ({dZ}.sum({rest}) + <X_hat> * ({dZ} * <X_hat>).sum({rest})) / {N})"),
        r"Row by row: every example $j$ acts on example $i$ through $\mu$ and $\sigma$.",
        r"\tfrac{\partial L}{\partial X}^{\text{rows}}",
    )
    plain = Equation(
        "plain",
        r"\bigl(<dX_hat> - \operatorname{mean}(<dX_hat>)"
        r" - <X_hat> \circ \operatorname{mean}(<dX_hat> \circ <X_hat>)\bigr) / <s>",
        sent(f"(<dX_hat> - <dX_hat>.mean({rest}) - <X_hat> * (<dX_hat> * <X_hat>).mean({rest})) / <s>"),
        r"With means in place of sums: the projections on $1$ and on $\hat x$ are subtracted.",
        r"\tfrac{\partial L}{\partial X}^{\text{means}}",
    )
    yeh = Equation(
        "dX",
        rf"\tfrac{{<gamma>}}{{{N} <s>}} \circ "
        rf"\bigl({N} <dZ> - \mathbf{{1}} <d_beta>^\top - <X_hat> \circ \mathbf{{1}} <d_gamma>^\top\bigr)",
        sent(f"{gamma} / ({N} * <s>) * ({N} * {dZ} - {dZ}.sum({rest}) - <X_hat> * ({dZ} * <X_hat>).sum({rest}))"),
        r"Yeh's matrix form: its two sums are the gradients of $\beta$ and $\gamma$. All five forms agree.",
    )
    return [*staged, by_sums, by_rows, plain, yeh]
