"""Settings of all tests."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import settings

from examples.server import running_server

# The same examples in every run: a failure in CI is a failure here. No deadline: a slow machine is no defect.
settings.register_profile("gradd", derandomize=True, deadline=None, database=None, max_examples=20)
settings.load_profile("gradd")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a real server over a real socket."""
    with running_server() as address:
        yield address


@pytest.fixture(scope="session")
def client(server: str) -> Iterator[httpx.Client]:
    """A client of that server."""
    with httpx.Client(base_url=server, timeout=60) as connection:
        yield connection
