"""/v1/check and /v1/probe: diagnosis of submitted gradients, and test points for it."""
