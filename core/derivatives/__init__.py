"""Derivatives of a whole problem: certificates, Jacobians, products with vectors, per-example gradients."""
