"""Inversion: inputs that a network of dense layers and invertible functions maps to given outputs, in closed form.

    x^{l−1} = W_l⁺ (f_l⁻¹(x^l) − b_l)          from the output down; W⁺ is the pseudo-inverse, by singular values

Any vector of the null space of W_l may be added to x^{l−1}. The solution nearest to the reference is taken if there is a
reference, otherwise the shortest. If it lies outside the range of f_{l−1}, a linear programme moves it along the null space
to the point where every unit keeps the largest distance from the ends of the range. An inverse need not exist; the answer
then names the layer at which it fails.

Source: Rossen, Closed-Form Inversion of Backpropagation Networks (1990).
"""

from core.inversion.chain import Link, check_chain, input_features
from core.inversion.descent import invert
from core.inversion.outcome import Inversion, LayerInversion
from core.inversion.repair import Solver

__all__ = ["Inversion", "LayerInversion", "Link", "Solver", "check_chain", "input_features", "invert"]
