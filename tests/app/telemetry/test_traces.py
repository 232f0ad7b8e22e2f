"""Traces: a real collector over HTTP receives the spans of a request, and of the job that it started in another process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.examples import XOR
from tests.app.cli.test_processes import running, wait_until
from tests.app.http.served import Served

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
JOB: dict[str, Any] = {
    "network": XOR["network"], "data": XOR["batch"], "loss": XOR["loss"], "seed": 1, "epochs": 4,
    "optimizer": {"kind": "sgd", "learning_rate": 0.1}, "checkpoint_every_epochs": 1,
}  # fmt: skip


class Collector:
    """A collector of OpenTelemetry that keeps what it receives."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.services: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    names = {each.key: each.value.string_value for each in resource.resource.attributes}
                    collector.services.add(names["service.name"])
                    collector.spans += [span for scope in resource.scope_spans for span in scope.spans]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def named(self, name: str) -> list[Any]:
        return [span for span in self.spans if span.name == name]


@contextmanager
def collector() -> Iterator[Collector]:
    found = Collector()
    thread = Thread(target=found.server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        thread.join()
        found.server.server_close()


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


@pytest.mark.slow
def test_from_the_request_to_the_job(tmp_path: Path) -> None:
    variables = {"OTEL_BSP_SCHEDULE_DELAY": "100", "GRADD_LOG_FORMAT": "json"}
    with collector() as found:
        with running(tmp_path, "--access-log", OTEL_EXPORTER_OTLP_ENDPOINT=found.address, **variables) as service:
            with httpx.Client(base_url=service.address, timeout=60) as client:
                headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "traced"}
                job = client.post("/v1/jobs", json=JOB, headers=headers).json()["id"]
                client.get("/v1/models/mdl_000000000000000000000000", headers={"Authorization": "secret"})
                assert client.get(f"/v1/jobs/{job}?wait=60").json()["status"] == "succeeded"
            wait_until(lambda: found.named("train job"))
        log = service.log.read_text()
    (created,) = found.named("POST /v1/jobs")
    assert (created.trace_id.hex(), created.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes(created)["http.response.status_code"] == 202
    assert attributes(created)["gradd.request_id"] == "traced"
    (trained,) = found.named("train job")
    assert (trained.trace_id, trained.parent_span_id) == (created.trace_id, created.span_id)
    assert attributes(trained)["gradd.job.id"] == job
    assert [event.name for event in trained.events] == ["checkpoint"] * 3
    (missing,) = found.named("GET /v1/models/{id}")
    assert missing.trace_id != created.trace_id
    assert found.services == {"gradd", "gradd-worker"}
    assert f'"trace_id": "{TRACE}"' in log
    assert "secret" not in str(found.spans)


def test_a_trace_that_is_no_trace_begins_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.address)
        served = Served(tmp_path)
        for value in (b"", b"00-0-0-00", b"\xff", b"x" * 1000):
            assert (
                served.post(
                    "/v1/gradients", XOR, [*[(b"content-type", b"application/json")], (b"traceparent", value)]
                ).status
                == 200
            )
        served.app.state.tracing.close()
    assert len({span.trace_id for span in found.named("POST /v1/gradients")}) == 4


def test_nothing_is_imported_without_a_collector() -> None:
    """FastAPI itself imports OpenTelemetry's interfaces where they are installed, and no more."""
    program = (
        "import sys, app.main, app.worker.job_process_main; "
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
