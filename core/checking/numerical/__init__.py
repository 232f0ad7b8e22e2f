"""Numerical gradients: finite differences that were submitted are recognised, and no backpropagation is blamed for them.

A difference quotient has an error of its own, and that error gives it away. With a large step h it is the curvature of
the loss that a quotient passes over; with a small one it is the last digits of the two losses, of which the quotient is
a whole multiple. Here the step is worked out from the error, and then the quotients with that step have to be the
submitted numbers.
"""

from core.checking.numerical.entry import Gradients
from core.checking.numerical.recognition import recognise
from core.checking.numerical.scheme import Numerical

__all__ = ["Gradients", "Numerical", "recognise"]
