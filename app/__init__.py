"""The HTTP service around the gradient core."""

from importlib.metadata import version

VERSION = version("gradd")
"""The version in pyproject.toml, as it was installed."""
