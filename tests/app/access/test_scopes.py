"""Every operation has a declared scope, and every key can do what its scopes say."""

from __future__ import annotations

import httpx
import pytest

from app.access.scopes import OPEN, SCOPE_OF, SCOPES, scope_of
from tests.app.access.service import Keyed
from tests.server import operations, published, refused

OPERATIONS = sorted((method, path) for method, path, _ in operations())
UNDESCRIBED = ["/", "/docs", "/docs/swagger-ui.css", "/openapi.json", "/playground/page.css", "/problems/rate-limited"]


def declared(path: str) -> bool:
    """Whether somebody has thought of a path."""
    first, second = [*path.strip("/").split("/"), ""][:2]
    return f"v1/{second}" in SCOPE_OF if first == "v1" and second else first in OPEN or first in SCOPE_OF


@pytest.mark.parametrize("path", sorted({path for _, path in OPERATIONS}))
def test_every_operation_has_a_declared_scope(path: str) -> None:
    assert declared(path), f"add {path} to app/access/scopes.py"


def test_every_declared_path_is_one() -> None:
    paths = [path for _, path in OPERATIONS]
    for prefix in SCOPE_OF:
        assert any(path.strip("/") == prefix or path.startswith(f"/{prefix}/") for path in paths), prefix


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/v1/nothing", "/v1/models2", "//v1/models", "/V1/models", "/livez2", "v1", "*", "", "//", "/v1/"],
)
def test_what_nobody_has_declared_is_closed(path: str) -> None:
    assert scope_of(path) == "admin"


def test_the_schema_describes_keys() -> None:
    schemes = published()["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    for _, path, operation in operations():
        scope = scope_of(path)
        assert operation.get("security") == (scope and [{}, {"bearer": [scope]}])
        for status in ("401", "403", "429"):
            assert (status in operation["responses"]) == (scope is not None)


def requested(client: httpx.Client, method: str, path: str) -> httpx.Response:
    filled = path.replace("{id}", "mdl_none").replace("{slug}", "unauthorized")
    return client.request(method, filled, content=b"{}" if method in ("POST", "PATCH") else None)


def test_each_scope_against_each_route(keyed: Keyed) -> None:
    clients = {scope: keyed.client([scope]) for scope in SCOPES}
    anonymous, wrong = keyed.anonymous(), keyed.anonymous()
    wrong.headers["Authorization"] = "Bearer gradd_000000000000_" + 48 * "0"
    for method, path in [*OPERATIONS, *(("GET", path) for path in UNDESCRIBED)]:
        needed = scope_of(path)
        for client in (anonymous, wrong):
            response = requested(client, method, path)
            if needed is None:
                assert response.status_code < 400, (path, response.text)
                continue
            refused(response, 401, "unauthorized")
            challenge = response.headers["WWW-Authenticate"]
            assert challenge == 'Bearer realm="gradd"' + (', error="invalid_token"' if client is wrong else "")
        for scope, client in clients.items():
            response = requested(client, method, path)
            if needed in (None, scope) or scope == "admin":
                assert response.status_code not in (401, 403, 429), (scope, path, response.text)
            else:
                refused(response, 403, "forbidden")
                assert f'error="insufficient_scope", scope="{needed}"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Basic Zm9vOmJhcg==",
        "Bearer x",
        "Bearer gradd_abc_def",
        "gradd_{}",
        "Bearer \xff",
        "Bearer " + 9000 * "a",
    ],
)
def test_what_is_no_key_is_refused(keyed: Keyed, header: str) -> None:
    with keyed.anonymous() as client:
        response = client.get("/v1/models", headers={b"Authorization": header.encode("latin-1")})
        refused(response, 401, "unauthorized")
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_two_keys_are_none(keyed: Keyed) -> None:
    with keyed.client() as one:
        both = [("Authorization", one.headers["Authorization"])] * 2
        refused(httpx.get(f"{keyed.base}/v1/models", headers=both), 401, "unauthorized")


def test_unknown_paths_are_for_admins(keyed: Keyed) -> None:
    with keyed.anonymous() as nobody, keyed.client(["admin"]) as admin:
        refused(nobody.get("/v1/nothing"), 401)
        refused(admin.get("/v1/nothing"), 404)
