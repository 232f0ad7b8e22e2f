"""Code that several kinds of layers share; nothing here is a kind."""
