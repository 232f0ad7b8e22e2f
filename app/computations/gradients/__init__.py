"""POST /v1/gradients and POST /v1/forward."""
