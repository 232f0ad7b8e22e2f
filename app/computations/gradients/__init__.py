"""/v1/gradients and /v1/forward."""
