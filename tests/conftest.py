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


TWICE = (
    "tests/app/jobs/test_chaos.py",
    "tests/app/jobs/test_turns.py",
    "tests/app/jobs/test_watch.py",
    "tests/app/jobs/test_sweeps.py",
    "tests/app/jobs/test_going_on.py",
    "tests/app/retention/",
    "tests/app/access/",
    "tests/app/storage/test_models.py",
    "tests/app/storage/test_schema_versions.py",
)
"""Tests that start servers, workers and jobs. On PostgreSQL they are long; the queries have short tests there."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make test` leaves to `make soak`."""
    for item in items:
        if item.nodeid.startswith(TWICE) and "postgresql" in item.nodeid:
            item.add_marker(pytest.mark.long)


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
