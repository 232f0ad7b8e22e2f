"""POST /v1/products."""
