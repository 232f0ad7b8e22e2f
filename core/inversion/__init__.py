"""Inversion: inputs that a network of dense layers and invertible functions maps to given outputs, in closed form.

    x^{l−1} = W_l⁺ (f_l⁻¹(x^l) − b_l)          from the output down; W⁺ is the pseudo-inverse, by singular values

Any vector of the null space of W_l may be added to x^{l−1}. The nearest one to a reference is taken where there is a
reference, the shortest one otherwise; where that one lies outside the range of f_{l−1} it is moved along the null space
to where every unit keeps the largest distance from the ends of the range, by a linear programme. An inverse need not
exist; then the answer says so, and at which layer.

Source: Rossen, Closed-Form Inversion of Backpropagation Networks (1990).
"""

from core.inversion.chain import Link, check_chain, input_features
from core.inversion.descent import invert
from core.inversion.outcome import Inversion, LayerInversion
from core.inversion.repair import Solver

__all__ = ["Inversion", "LayerInversion", "Link", "Solver", "check_chain", "input_features", "invert"]
