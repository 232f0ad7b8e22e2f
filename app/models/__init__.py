"""/v1/models: networks with their parameters, kept under an id that follows from the content."""
