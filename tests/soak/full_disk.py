"""A disk that is full at every write: python -m tests.soak.full_disk [N]. A write is refused as a whole, and goes on later.

First the file of the database may grow by no page, by one, by two ..., for each kind of write. Then, where file systems can
be mounted, a real disk is filled N times, but for a random rest, while a server stores things and a job is trained.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tests.app.jobs.service import long_job, tensor, workers
from tests.app.storage.full_pages import WRITES, count_failures
from tests.app.storage.small_disk import CannotMount, fill, small_disk
from tests.soak.clients import model_of
from tests.soak.server_process import ServerProcess

ROUNDS = 100
SEED = 20261128
REST = 150_000
"""At most as many bytes are left free: about what the largest of the writes takes. The log has room of its own besides."""

PATIENCE = 180
EPOCHS = 12
_LISTS = ("/v1/models", "/v1/datasets", "/v1/jobs")


def fill_pages() -> None:
    """Let each kind of write fail at each page that it needs, and print the figures."""
    for write in WRITES:
        with tempfile.TemporaryDirectory() as folder:
            failures = count_failures(write, Path(folder))
        print(
            f"{write.__name__.removeprefix('a_')}: refused at {failures} sizes of the file, nothing left behind",
            flush=True,
        )


class FullDisk:
    """A server on a small disk, which is filled and freed."""

    def __init__(self, folder: Path, client: httpx.Client, seed: int) -> None:
        """Prepare, with a client of the server."""
        self._folder, self._client = folder, client
        self._chance, self._numbers = random.Random(seed), np.random.default_rng(seed)
        self.counts: Counter[str] = Counter()

    def write_while_full(self) -> None:
        """Fill the disk, write one of everything, free the disk, and write what was refused again.

        Raises:
            AssertionError: if something was answered otherwise, is there by halves, or is refused once there is space.
        """
        bodies = self._bodies()
        before = self._listed()
        filler = fill(self._folder, self._chance.randrange(REST))
        answers = {path: self._client.post(path, json=body) for path, body in bodies.items()}
        read = self._listed()
        filler.unlink()
        for path, answer in answers.items():
            assert answer.status_code in (201, 202, 507), (path, answer.text)
            new = read[path] - before[path]
            if answer.status_code == 507:
                self.counts["refused"] += 1
                assert not new, f"{path} was refused, and yet it is there"
                again = self._client.post(path, json=bodies[path])
                assert again.status_code in (201, 202), again.text
                identity = again.json()["id"]
            else:
                self.counts["stored"] += 1
                identity = answer.json()["id"]
                assert new == {identity}
            self._delete(path, identity)
        with closing(sqlite3.connect(self._folder / "gradd.sqlite3", timeout=60)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []

    def train_while_full(self, expected: str | None) -> str:
        """Train a job, fill the disk somewhere in between, free it, resume the job if it was paused, and return its model.

        Raises:
            AssertionError: if the model is another than expected.
        """
        answer = self._client.post("/v1/jobs", json=long_job(1, epochs=EPOCHS))
        assert answer.status_code == 202, answer.text
        path = f"/v1/jobs/{answer.json()['id']}"
        if expected is not None:
            moment = self._chance.randrange(EPOCHS)
            self._wait(path, lambda job: job["progress"].get("epoch", 0) >= moment or job["status"] == "succeeded")
            filler = fill(self._folder, self._chance.randrange(REST))
            time.sleep(self._chance.uniform(0.5, 3.0))
            filler.unlink()
        paused = False
        while (job := self._wait(path, lambda job: job["status"] in ("succeeded", "failed", "paused")))[
            "status"
        ] == "paused":
            paused = True
            assert self._client.post(f"{path}/resume").status_code == 200
        assert job["status"] == "succeeded", job
        model: str = job["result"]["model"]
        assert expected in (None, model), "the parameters of a job are other ones"
        self.counts["paused" if paused else "waited"] += expected is not None
        self._delete("/v1/jobs", path.rpartition("/")[2])
        self._delete("/v1/models", model)
        return model

    def _bodies(self) -> dict[str, Any]:
        value = float(self._numbers.normal())
        data = {"inputs": tensor(np.full((100, 128), value)), "targets": tensor(np.zeros((100, 1)))}
        job = long_job(1, data=data, loss={"kind": "mean_squared_error"}, epochs=1)
        # Nobody trains it: the worker has other work to do.
        job["network"] = {"layers": [{"kind": "dense", "units": 1}]}
        model = model_of(self._numbers, 300)
        return {"/v1/models": model, "/v1/datasets": {"inputs": tensor(np.full((100, 64), value))}, "/v1/jobs": job}

    def _listed(self) -> dict[str, set[str]]:
        return {path: {row["id"] for row in self._client.get(path).json()["data"]} for path in _LISTS}

    def _delete(self, path: str, identity: str) -> None:
        if path == "/v1/jobs":
            self._client.post(f"{path}/{identity}/cancel")
        answer = self._client.delete(f"{path}/{identity}")
        assert answer.status_code == 204, answer.text

    def _wait(self, path: str, condition: Any) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while not condition(job := self._client.get(path).json()):
            assert time.monotonic() < deadline, job
            time.sleep(0.05)
        return dict(job)


def fill_disk(rounds: int) -> str:
    """Fill a real disk so many times and return the figures."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, small_disk(Path(name) / "disk", 16) as folder:
        settings = {"GRADD_DATA_DIR": str(folder), "GRADD_MIN_FREE_BYTES": "0", "GRADD_PRUNE_SECONDS": "0"}
        with ServerProcess(**settings) as server, httpx.Client(base_url=server.address, timeout=120) as client:
            disk = FullDisk(folder, client, SEED)
            for _ in range(rounds):
                disk.write_while_full()
            with workers(f"sqlite:///{folder / 'gradd.sqlite3'}", 1, GRADD_MIN_FREE_BYTES="0", GRADD_SPACE_SECONDS="1"):
                model = disk.train_while_full(None)
                for _ in range(max(1, rounds // 10)):
                    disk.train_while_full(model)
    counts = disk.counts
    return (
        f"disk: filled {rounds} times in {time.monotonic() - began:.0f} s; {counts['refused']} writes refused with 507 and "
        f"accepted afterwards, {counts['stored']} found room; of the jobs in training {counts['paused']} were paused, "
        f"{counts['waited']} went on by themselves, all to the same bits"
    )


def main(rounds: int) -> None:
    """Fill the pages of a file, and the disk so many times."""
    fill_pages()
    try:
        print(fill_disk(rounds), flush=True)
    except CannotMount:
        print("disk: left out, because file systems can only be mounted by root")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
