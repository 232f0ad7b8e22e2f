"""POST /v1/jacobian."""
