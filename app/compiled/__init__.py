"""A second engine of the training loop: the steps of an epoch as one compiled function, with numba (the extra `fast`)."""
