"""The equations of a transposed convolution, with the selections of the windows of its result."""

from __future__ import annotations

from collections.abc import Sequence

from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout


def derivation(
    layout: Layout, selections: Sequence[str], sizes: tuple[int, ...], *, filters: int, groups: int, bias: bool
) -> Derivation:
    """Return the equations of a layer whose input has a number for each window of its result.

    Args:
        layout: of the request.
        selections: for each axis, the windows of the result, as NumPy expressions of shape windows x numbers x offsets.
        sizes: of the kernel.
        filters: their number.
        groups: of filters and channels.
        bias: whether there is one.
    """
    rank, (n, channels, *lengths) = len(selections), layout.inputs[0]
    letters = ("R", "S")[-rank:]
    x, z, k = ("crs", "ohw", "ij") if rank == 2 else ("cs", "ow", "j")
    select = "".join(f",{place}{number}{offset}" for place, number, offset in zip(x[1:], z[1:], k, strict=True))
    chosen = "".join(f", <{letter}>" for letter in letters)
    X = f"<X>.reshape({(n, groups, channels // groups, *lengths)})"
    W = f"<weight>.reshape({(groups, channels // groups, filters // groups, *sizes)})"
    dZ = f"<dZ>.reshape({(n, groups, filters // groups, *layout.result[2:])})"
    added = f" + <bias>.reshape({(-1, *[1] * rank)})" if bias else ""
    summed = Equation(
        "d_bias",
        r"\textstyle\sum <dZ>",
        f"<dZ>.sum(axis={(0, *range(2, 2 + rank))})",
        "The bias is added at every position, so its gradient is the sum over examples and positions.",
    )
    return Derivation(
        [
            *(
                Equation(
                    letter,
                    r"[\text{number} = \text{window} \cdot \text{stride} + \text{offset}]",
                    selected,
                    "1 where a window of the result contains that row or column at that offset, 0 elsewhere: what the "
                    "padding cuts off is never selected.",
                )
                for letter, selected in zip(letters, selections, strict=True)
            ),
            Equation(
                "Z",
                rf"<X> \ast <weight>{' + <bias>' if bias else ''}",
                f"np.einsum('ng{x}{select},gco{k}->ng{z}', {X}{chosen}, {W}, optimize=True).reshape({layout.result}){added}",
                "Each number of the input, times the kernel, is added to its window of the result: the transpose of a "
                "convolution.",
            ),
        ],
        [
            Equation(
                "d_weight",
                r"<dZ> \star <X>",
                f"np.einsum('ng{x}{select},ng{z}->gco{k}', {X}{chosen}, {dZ}, optimize=True)"
                f".reshape({(channels, filters // groups, *sizes)})",
                "Each number of the kernel multiplies every number of the input: the gradient is a cross-correlation of the "
                "delta with the input.",
            ),
            *([summed] if bias else []),
            Equation(
                "dX",
                r"<dZ> \star <weight>",
                f"np.einsum('ng{z}{select},gco{k}->ng{x}', {dZ}{chosen}, {W}, optimize=True).reshape({layout.inputs[0]})",
                "Every number of the input receives the deltas of its window, times the kernel: a cross-correlation with the "
                "stride of the layer, in which the kernel is not rotated.",
            ),
        ],
    )
