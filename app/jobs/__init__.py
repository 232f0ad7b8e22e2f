"""Training jobs: what may happen to one, in transactions on its row."""
