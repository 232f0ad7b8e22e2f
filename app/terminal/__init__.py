"""What the command `gradd` shows and asks."""
