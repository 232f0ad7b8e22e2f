"""Code shared by several kinds of layers; nothing here is a kind."""
