"""One server with keys for all tests, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.access.service import Keyed, keyed_server
from tests.app.conftest import BOTH, empty_database


@pytest.fixture(scope="package", params=BOTH)
def keyed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """A server that needs keys."""
    folder = tmp_path_factory.mktemp("keyed")
    with empty_database(request.param, folder) as address, keyed_server(address, folder) as server:
        yield server
