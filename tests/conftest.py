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
    "tests/app/storage/",
)
"""Tests that start servers, workers and jobs. On PostgreSQL they are long; the queries have short tests there."""


ENDURANCE = (
    "tests/app/cli/test_processes.py::test_an_application_that_does_not_start_ends_the_command",
    "tests/app/cli/test_processes.py::test_control_c",
    "tests/app/cli/test_processes.py::test_nothing_outlives_the_supervisor",
    "tests/app/cli/test_processes.py::test_sigterm_ends_everything",
    "tests/app/compiled/test_job.py",
    "tests/app/costs/test_memory.py",
    "tests/app/http/computing/test_compute_processes.py::test_a_body_that_is_large_leaves_no_file",
    "tests/app/http/computing/test_compute_processes.py::test_a_file_that_a_killed_server_has_left",
    "tests/app/http/computing/test_compute_processes.py::test_a_folder_that_takes_no_body_is_told",
    "tests/app/http/computing/test_compute_processes.py::test_a_process_does_not_keep_the_port",
    "tests/app/http/computing/test_compute_processes.py::test_a_process_whose_client_leaves_while_it_starts",
    "tests/app/http/computing/test_compute_processes.py::test_small_requests_are_answered_while_large_ones",
    "tests/app/jobs/test_chaos.py::test_a_job_outlives_many_workers",
    "tests/app/jobs/test_chaos.py::test_a_worker_that_was_frozen_does_no_harm",
    "tests/app/jobs/test_turns.py::test_a_full_queue_answers_503_and_takes_nothing",
    "tests/app/jobs/test_turns.py::test_a_job_that_is_killed_in_its_first_epoch",
    "tests/app/jobs/test_turns.py::test_long_jobs_give_way",
    "tests/app/jobs/test_watch.py::test_queries_do_not_grow_with_listeners",
    "tests/app/http/edge/test_connections.py",
    "tests/app/http/edge/test_endings.py",
    "tests/app/retention/test_prune.py",
    "tests/app/storage/test_backup.py::test_the_commands_bring_back",
    "tests/app/storage/test_disk_full.py::test_a_job_on_a_full_disk",
    "tests/app/telemetry/test_shared_metrics.py",
    "tests/app/telemetry/test_traces.py::test_from_the_request_to_the_job",
    "tests/app/storage/test_schema_versions.py::test_what_a_released_version_stored_is_there_after_the_migration[sqlite-0002]",
    "tests/app/storage/test_schema_versions.py::test_what_a_released_version_stored_is_there_after_the_migration[sqlite-0003]",
)
"""Tests that take many seconds, because they start many processes or wait for deadlines."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make test` leaves to `make soak`."""
    for item in items:
        is_second = item.nodeid.startswith(TWICE) and "postgresql" in item.nodeid
        is_other_parser = item.nodeid.startswith("tests/app/http/edge/") and "[h11" in item.nodeid
        if is_second or is_other_parser or item.nodeid.startswith(ENDURANCE):
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
