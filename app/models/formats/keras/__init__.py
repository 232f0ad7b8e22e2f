"""Import of Keras models and weights."""
