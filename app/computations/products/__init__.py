"""/v1/products."""
