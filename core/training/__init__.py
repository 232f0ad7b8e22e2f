"""Training: one step of an optimizer, and many of them."""
