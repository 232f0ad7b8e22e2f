"""Base classes of several mistakes."""
