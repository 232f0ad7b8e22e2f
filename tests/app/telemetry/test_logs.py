"""The logs of real processes: JSON or text, one record for each request, and nothing that a request could inject."""

from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.examples import XOR
from app.logs import TextFormatter, configure_logs, escape
from tests.app.cli.test_processes import running, wait_until
from tests.app.http.test_http import exchanged

SECRET = "Bearer-of-a-secret"


def records(log: Path) -> list[dict[str, Any]]:
    """The records of a log in JSON; the line with the address is no record."""
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_json_has_one_record_for_each_request(tmp_path: Path, processes: int) -> None:
    options = ("--access-log", "--processes", str(processes))
    with running(tmp_path, *options, GRADD_LOG_FORMAT="json", GRADD_LOG_CLIENT_ADDRESS="true") as service:
        with httpx.Client(base_url=service.address, timeout=60) as client:
            headers = {
                "Authorization": SECRET,
                "X-Request-Id": "mine",
                "User-Agent": SECRET,
                "Accept-Encoding": "identity",
            }
            answer = client.post("/v1/gradients", json=XOR, headers=headers)
            assert answer.status_code == 200
            client.post(f"/v1/gradients?token={SECRET}", content=SECRET.encode(), headers=headers)
            client.get(f"/v1/models/{SECRET}%0aINFO%20forged", headers=headers)
            head = f"GET /{SECRET}%0d%0aforged HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            exchanged(service.address, head.encode())
        wait_until(lambda: len([each for each in records(service.log) if each["logger"] == "gradd.access"]) >= 4)
        wait_until(lambda: any("is ready" in each["message"] for each in records(service.log)))
    lines = service.log.read_text().splitlines()
    assert SECRET not in service.log.read_text()
    assert [line for line in lines if not line.startswith("{")] == [line for line in lines if line.startswith("gradd ")]
    first, second, third, fourth = (each for each in records(service.log) if each["logger"] == "gradd.access")
    assert (first["method"], first["route"], first["status"]) == ("POST", "/v1/gradients", 200)
    assert first["request_id"] == "mine"
    assert first["response_bytes"] == len(answer.content)
    assert first["client"] == "127.0.0.1"
    assert 0 < first["compute_seconds"] < first["duration_seconds"]
    assert first["queue_seconds"] >= 0
    assert first["level"] == "INFO"
    assert first["time"].endswith("Z")
    assert (second["status"], third["route"], fourth["route"]) == (415, "/v1/models/{id}", "")
    assert not {"queue_seconds", "compute_seconds"} & set(fourth)
    loggers = {each["logger"] for each in records(service.log)}
    assert "gradd.worker" in loggers


@pytest.mark.slow
def test_text_for_people(tmp_path: Path) -> None:
    with running(tmp_path, "--no-worker", "--access-log", GRADD_LOG_FORMAT="text") as service:
        httpx.get(f"{service.address}/livez", headers={"X-Request-Id": "mine"})
        wait_until(lambda: "/livez" in service.log.read_text())
    (line,) = (line for line in service.log.read_text().splitlines() if "/livez" in line)
    assert 'info gradd.access: "GET /livez" 200 in ' in line
    assert line.endswith(" [mine]")
    assert "127.0.0.1" not in line


@pytest.mark.slow
def test_the_level_is_a_setting(tmp_path: Path) -> None:
    with running(tmp_path, "--access-log", GRADD_LOG_LEVEL="error") as service:
        httpx.get(f"{service.address}/livez")
    assert [line for line in service.log.read_text().splitlines() if not line.startswith("gradd ")] == []


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\r\n2026-01-01 INFO forged", "\x1b[31mred\x1b[0m", "\x00", "\x85", "\u2028", "\u202e", "\x7f", "\ud800"],
)
def test_control_characters_are_escaped(text: str) -> None:
    record = logging.LogRecord("gradd", logging.INFO, "", 0, "said %s", (text,), None)
    line = TextFormatter().format(record)
    assert line.isprintable()
    assert line.endswith(escape(text))
    assert "\\" in line


def test_a_traceback_cannot_begin_a_record() -> None:
    try:
        raise ValueError("evil\n2026-01-01T00:00:00.000Z info gradd: forged\n\x1b[2J")
    except ValueError:
        record = logging.LogRecord("gradd", logging.ERROR, "", 0, "it failed", (), sys.exc_info())
    first, *others = TextFormatter().format(record).split("\n")
    assert first.endswith("it failed")
    assert all(line.startswith("    ") and line.isprintable() for line in others)
    assert any("forged" in line for line in others)


@pytest.mark.parametrize(("terminal", "starts"), [(True, "2"), (False, "{")])
def test_text_is_for_terminals(monkeypatch: pytest.MonkeyPatch, terminal: bool, starts: str) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        root.handlers.clear()
        configure_logs(None, "info")
        logging.getLogger("gradd.test").info("hello\nthere")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert stream.getvalue().startswith(starts)
    assert stream.getvalue().count("\n") == 1
