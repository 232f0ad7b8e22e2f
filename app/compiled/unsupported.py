"""Unsupported: why a run is not compiled."""


class Unsupported(Exception):
    """Says in a sentence what of a run is not compiled. It is no error: NumPy's engine trains instead."""
