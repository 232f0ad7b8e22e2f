"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# The same examples in every run: a failure in CI is a failure here. No deadline: a slow machine is no defect.
settings.register_profile("gradd", derandomize=True, deadline=None, database=None, max_examples=20)
settings.load_profile("gradd")
