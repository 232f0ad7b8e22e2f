"""Slopes at kinks: where a derivative jumps, every number between the one-sided ones is right."""
