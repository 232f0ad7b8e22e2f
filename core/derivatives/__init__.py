"""Derivatives of a whole problem: certificates, Jacobians, products with vectors, gradients of single examples."""
