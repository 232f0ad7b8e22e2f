"""HTTP, and nothing of gradients."""
