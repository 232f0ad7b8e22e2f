"""A server with the limits of heads lowered, for each parser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.http.edge.served import EdgeServer, edge_server


@pytest.fixture(scope="module", params=["httptools", "h11"])
def edge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeServer]:
    """A server whose clients have a second for a head, and two for a body and between requests."""
    folder = tmp_path_factory.mktemp("edge")
    hurried = {"GRADD_MAX_HEAD_SECONDS": "1", "GRADD_MAX_IDLE_SECONDS": "2", "GRADD_MAX_BODY_SECONDS": "2"}
    with edge_server(folder, request.param, **hurried) as server:
        yield server
