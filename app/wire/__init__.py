"""The wire: bytes of a request to arrays and validated models, and arrays to the bytes of an answer."""
