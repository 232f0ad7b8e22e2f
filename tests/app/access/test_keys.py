"""Keys: made, looked up, revoked, and never shown."""

from __future__ import annotations

import hmac
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.access import secrets
from app.access.authenticator import KEPT_SECONDS
from app.access.guard import is_loopback
from app.access.repository import create_key, list_keys, revoke_key
from app.cli.serve import cli
from app.storage import Database
from core.errors import Refusal
from tests.app.access.service import MODEL, Keyed, made
from tests.app.http.served import AS_JSON, Served
from tests.server import refused


def test_a_key_has_128_bits_and_is_stored_hashed(database: Database) -> None:
    row, text = create_key(database, "ada")
    prefix, identity, secret = text.split("_")
    assert (prefix, identity) == ("gradd", row.id)
    assert len(secret) * 4 >= 128
    assert secrets.id_of(text) == row.id
    (stored,) = list_keys(database)
    assert secret not in repr(vars(stored))
    assert stored.digest == secrets.digest_of(text)


def test_digests_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    text = secrets.new_key().text
    digest = secrets.digest_of(text)
    assert secrets.has_digest(text, digest)
    assert not secrets.has_digest(secrets.new_key().text, digest)
    assert not secrets.has_digest(text, None)
    assert len(compared) == 3, "a key that does not exist takes as long as one that does"


def test_a_key_that_succeeds_another_owns_the_same(keyed: Keyed) -> None:
    with keyed.client() as old:
        identity = made(old.post("/v1/models", json=MODEL))
        row, text = create_key(keyed.database, "new", succeeds=old.headers["X-Key-Id"])
        keyed.secrets.append(text.rpartition("_")[2])
        with keyed.anonymous() as new:
            new.headers["Authorization"] = f"bearer {text}"
            assert new.get(f"/v1/models/{identity}").status_code == 200
    assert row.owner != row.id
    with pytest.raises(Refusal, match="There is no key"):
        create_key(keyed.database, "x", succeeds="nobody")


def test_a_revoked_key_is_refused_within_seconds(keyed: Keyed) -> None:
    with keyed.client() as client:
        assert client.get("/v1/models").status_code == 200
        revoke_key(keyed.database, client.headers["X-Key-Id"])
        time.sleep(KEPT_SECONDS + 0.5)
        refused(client.get("/v1/models"), 401, "unauthorized")


def test_no_key_is_in_a_log_a_problem_or_a_metric(keyed: Keyed) -> None:
    texts = []
    with keyed.client(["compute"]) as client, keyed.client(["admin"]) as admin:
        for path in ("/v1/models", "/v1/nothing", "/v1/gradients", "/metrics"):
            texts += [client.get(path).text, client.post(path, content=b"{").text]
        broken = {"Authorization": client.headers["Authorization"][:-1]}
        texts += [
            client.get("/v1/models", headers=broken).text,
            admin.get("/metrics").text,
            admin.get("/openapi.json").text,
        ]
    log = keyed.log.read_text()
    assert '"status": 403' in log
    assert len(keyed.secrets) >= 2
    for secret in keyed.secrets:
        assert secret[:-1] not in log
        assert all(secret[:-1] not in text for text in texts)


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True), ("127.8.9.10", True), ("::1", True), ("::ffff:127.0.0.1", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("172.17.0.2", False), ("localhost.example", False), ("testserver", False),
        ("", False),
    ],
)  # fmt: skip
def test_loopback_addresses_are_known(host: str, is_local: bool) -> None:
    assert is_loopback(host) is is_local


@pytest.mark.parametrize(
    ("authentication", "server", "status"),
    [
        ("auto", ("127.0.0.1", 80), 200), ("auto", ("10.0.0.1", 80), 401), ("auto", None, 401),
        ("auto", ("/run/x", None), 401),
        ("off", ("10.0.0.1", 80), 200), ("required", ("127.0.0.1", 80), 401),
    ],
)  # fmt: skip
def test_the_address_of_a_request_decides_where_nothing_was_set(
    tmp_path: Path, authentication: str, server: object, status: int
) -> None:
    class At(Served):
        def scope(self, *arguments: object, **named: object) -> dict[str, object]:
            return super().scope(*arguments, **named) | {"server": server}  # type: ignore[arg-type]

    served = At(tmp_path, authentication=authentication)
    answer = served.post("/v1/models", MODEL, AS_JSON)
    assert answer.status == (201 if status == 200 else status)
    assert served.post("/livez", b"", (), "GET").status == 200


def test_serve_refuses_to_be_open_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADD_AUTHENTICATION", raising=False)
    ended = CliRunner().invoke(cli, ["serve", "--host", "0.0.0.0", "--port", "0"])
    assert ended.exit_code == 2
    assert "GRADD_AUTHENTICATION=required" in ended.output
    assert "GRADD_AUTHENTICATION=off" in ended.output


def test_the_command_line_makes_lists_revokes_and_sends_keys(keyed: Keyed) -> None:
    url = keyed.database.url.render_as_string(hide_password=False)
    environment = {"GRADD_DATABASE_URL": url, "GRADD_SERVER": keyed.base, "COLUMNS": "200"}
    runner = CliRunner()
    created = runner.invoke(cli, ["keys", "create", "ada", "--scope", "jobs", "--rate", "2.5"], env=environment)
    assert created.exit_code == 0, created.output
    text = created.stdout.strip()
    identity = text.split("_")[1]
    keyed.secrets.append(text.rpartition("_")[2])
    listed = runner.invoke(cli, ["keys", "list"], env=environment).output
    assert identity in listed
    assert "2.5 requests/s" in listed
    assert text.rpartition("_")[2] not in listed
    refusal = runner.invoke(cli, ["jobs", "list"], env=environment | {"GRADD_API_KEY": ""})
    assert refusal.exit_code == 1
    assert "API key" in refusal.output
    answered = runner.invoke(cli, ["jobs", "list"], env=environment | {"GRADD_API_KEY": text})
    assert answered.exit_code == 0, answered.output
    assert "is revoked" in runner.invoke(cli, ["keys", "revoke", identity], env=environment).output
    unknown = runner.invoke(cli, ["keys", "revoke", "nobody"], env=environment)
    assert (unknown.exit_code, "There is no key" in unknown.output) == (1, True)
