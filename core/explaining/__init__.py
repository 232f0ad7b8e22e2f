"""The derivation of a problem's gradients, equation by equation, with the problem's own shapes and numbers."""
