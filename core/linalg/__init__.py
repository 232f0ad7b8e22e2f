"""Decompositions of stacks of matrices: eigenvalues, singular values, functions of a symmetric matrix.

Everything here also takes complex matrices whose imaginary part is a complex step, i h B. The decomposition is then that
of the real part, moved to first order along B: U(X + i h B) = U + i h dU[B]. With h = 1e-30 nothing of higher order is
left to represent, so derivatives by complex step are exact through these layers too, and so are products with a Hessian.
"""
