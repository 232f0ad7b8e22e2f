"""/v1/jacobian."""
