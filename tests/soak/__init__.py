"""Proof by endurance: parts of `make soak`, each a module to run alone, python -m tests.soak.PART [N]. pytest skips them."""
