"""What is neither computed nor kept: the server's description, its health, its documentation and its page."""
