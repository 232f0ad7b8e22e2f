"""/v1/step."""
