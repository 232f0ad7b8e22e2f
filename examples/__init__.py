"""What a user does with gradd, as programs that run."""
