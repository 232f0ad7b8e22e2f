"""Equations: how a layer, an activation function or a loss writes its own derivation."""
