"""What several mistakes have in common."""
