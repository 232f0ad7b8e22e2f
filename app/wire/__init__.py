"""Conversion between bytes and arrays or validated models."""
