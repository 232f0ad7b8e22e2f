"""/v1/datasets: examples to train on."""
