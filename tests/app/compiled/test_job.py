"""A job of a real worker with the compiled engine, and one that goes on with it after NumPy's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.app.compiled.problems import needs_numba
from tests.app.jobs.service import ended, events_of, long_job, posted, service, wait_until, workers

pytestmark = [needs_numba, pytest.mark.slow]
DENSE = {"network": {"layers": [{"kind": "dense", "units": 160, "activation": "relu"}, {"kind": "dense", "units": 10}]}}


def test_a_job_records_its_engine_and_says_when_it_changes(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADD_DATA_DIR", str(folder))
    address = f"sqlite:///{tmp_path / 'gradd.sqlite3'}"
    with service(address) as client:
        job = posted(client, long_job(1, epochs=300) | DENSE)

        def engine() -> dict[str, Any]:
            found: dict[str, Any] = client.get(f"/v1/jobs/{job}").json()["environment"]["engine"]
            return found

        with workers(address, 1):
            wait_until(lambda: any(event["type"] == "checkpoint" for event in events_of(client, job)))
            client.post(f"/v1/jobs/{job}/pause").raise_for_status()
            assert engine() == {"name": "numpy"}
        monkeypatch.setenv("GRADD_JOB_ENGINE", "compiled")
        client.post(f"/v1/jobs/{job}/resume").raise_for_status()
        with workers(address, 1):
            ended(client, job)
            (warning,) = (event["data"] for event in events_of(client, job) if "now" in event["data"])
            assert warning["before"]["engine"] == {"name": "numpy"}
            assert warning["now"]["engine"]["name"] == "compiled"
            other = ended(client, posted(client, long_job(2, epochs=2)))
            reason = "Layer '2' (batch_norm) is not compiled."
            assert other["environment"]["engine"] == {"name": "numpy", "reason": reason}
