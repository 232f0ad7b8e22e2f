"""POST /v1/invert."""
