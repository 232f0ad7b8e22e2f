"""The HTTP layer. It does not depend on gradients or networks."""
