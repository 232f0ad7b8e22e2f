"""Servers with the limits of heads lowered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.http.edge.served import EdgeServer, edge_server

HURRIED = {"GRADD_MAX_HEAD_SECONDS": "1", "GRADD_MAX_IDLE_SECONDS": "2", "GRADD_MAX_BODY_SECONDS": "2"}
"""A second for a head, and two for a body and between requests."""


@pytest.fixture(scope="package", params=["httptools", "h11"])
def edge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeServer]:
    """A server of each parser."""
    with edge_server(tmp_path_factory.mktemp("edge"), request.param, **HURRIED) as server:
        yield server


@pytest.fixture(scope="package")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeServer]:
    """A server as it is without settings, for tests to which the parser is all the same."""
    with edge_server(tmp_path_factory.mktemp("plain")) as server:
        yield server
