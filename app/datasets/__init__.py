"""/v1/datasets: stored training data."""
