"""/v1/invert."""
