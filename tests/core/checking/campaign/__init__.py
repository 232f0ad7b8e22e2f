"""The campaign: right and wrong programs over every kind of layer, each found again by a family and a number."""
