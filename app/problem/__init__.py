"""The problem object: from a request to the core, and back into an answer."""
