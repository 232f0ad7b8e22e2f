"""Computations, one folder for each resource. They store nothing, and none imports another."""
