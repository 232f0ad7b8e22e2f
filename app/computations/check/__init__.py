"""POST /v1/check and POST /v1/probe."""
