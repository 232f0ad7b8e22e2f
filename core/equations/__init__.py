"""Equations: the terms in which a layer, an activation function or a loss writes its derivation."""
