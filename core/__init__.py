"""The gradient core: forward passes, matrix backpropagation and what follows from them, in NumPy."""
