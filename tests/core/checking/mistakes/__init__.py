"""Tests of single mistakes, with numbers from programs that make them."""
