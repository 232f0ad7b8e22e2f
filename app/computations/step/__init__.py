"""POST /v1/step."""
