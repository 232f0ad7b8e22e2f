"""Published derivations of the same gradients by other ways, in plain NumPy: to be read, shown and compared."""
