"""Access: API keys, what each of them may do, and how much."""
