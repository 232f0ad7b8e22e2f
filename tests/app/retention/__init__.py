"""Tests of what is removed after some time."""
