"""The HTTP service around the gradient core."""

VERSION = "0.1.0"
