"""/v1/models: stored networks with their parameters, under an id computed from their content."""
