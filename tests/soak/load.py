"""A mixed load for N minutes: python -m tests.soak.load [N]. The server neither grows nor answers with a 500.

Small and large computations, models, datasets, jobs, streams of events, clients that leave and requests that are refused,
from several clients at once. The caches of the server are small here, so that they are full early: what grows in the last
half of the time leaks.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

import httpx

from tests.app.jobs.service import workers
from tests.soak.server_process import ServerProcess, children_of, open_files, resident_bytes, thread_count
from tests.soak.traffic import BODY_LIMIT, VISITS, Client

MINUTES = 60.0
CLIENTS = 4
MOST_GROWTH = 0.04
"""The share by which the memory of the last quarter may exceed that of the quarter before."""

MIB = 2**20
_SETTINGS = {
    "GRADD_MAX_BODY_BYTES": str(BODY_LIMIT),
    "GRADD_FORM_CACHE_BYTES": str(4 * MIB),
    "GRADD_MODEL_CACHE_BYTES": str(4 * MIB),
    "GRADD_PRUNE_SECONDS": "15",
}


@dataclass(frozen=True)
class Reading:
    """The figures of a server at a moment."""

    minutes: float
    memory: int
    files: int
    threads: int
    children: int
    database: int

    def __str__(self) -> str:
        return (
            f"{self.minutes:6.1f} min: memory {self.memory / MIB:.0f} MiB, {self.files} open files, {self.threads} threads, "
            f"{self.children} child processes, database {self.database / MIB:.1f} MiB"
        )


class Meter:
    """Reads the figures of a server once a second, and prints some of them."""

    def __init__(self, server: ServerProcess, folder: Path, every_minutes: float) -> None:
        """Prepare for the server with its data in a folder."""
        self._server, self._folder, self._every = server, folder, every_minutes
        self._began, self._printed = time.monotonic(), -every_minutes
        self.readings: list[Reading] = []

    def read(self) -> Reading:
        """Read the figures and print them if it is time."""
        pid = self._server.pid
        size = (self._folder / "gradd.sqlite3").stat().st_size
        minutes = (time.monotonic() - self._began) / 60
        found = Reading(minutes, resident_bytes(pid), open_files(pid), thread_count(pid), len(children_of(pid)), size)
        self.readings.append(found)
        if minutes - self._printed >= self._every:
            self._printed = minutes
            print(found, flush=True)
        return found

    def growth(self) -> float:
        """Return by what share the median memory of the last quarter exceeds that of the third one."""
        last, quarter = self.readings[-1].minutes, self.readings[-1].minutes / 4
        third = [reading.memory for reading in self.readings if 2 * quarter <= reading.minutes < 3 * quarter]
        fourth = [reading.memory for reading in self.readings if 3 * quarter <= reading.minutes <= last]
        return statistics.median(fourth) / statistics.median(third) - 1


def go_on(client: Client, stop: Event, complaints: list[str]) -> None:
    """Visit the server until it is time to stop."""
    chance = random.Random(client.chance.getrandbits(64))
    kinds, weights = [visit for visit, _ in VISITS], [weight for _, weight in VISITS]
    while not stop.is_set():
        (visit,) = chance.choices(kinds, weights)
        try:
            visit(client)
        except Exception as error:
            complaints.append(f"{visit.__name__}: {type(error).__name__}: {error}")
    client.close()


def delete_everything(address: str) -> None:
    """Delete all jobs, models and datasets."""
    with httpx.Client(base_url=address, timeout=120) as client:
        for kind in ("jobs", "models", "datasets"):
            while rows := client.get(f"/v1/{kind}", params={"limit": 100}).json()["data"]:
                for row in rows:
                    if kind == "jobs" and row["status"] in ("queued", "running", "paused"):
                        client.post(f"/v1/jobs/{row['id']}/cancel")
                    client.delete(f"/v1/{kind}/{row['id']}")


def main(minutes: float) -> int:
    """Run the load and return the exit status."""
    counts: Counter[str] = Counter()
    complaints: list[str] = []
    lock, stop = Lock(), Event()
    with tempfile.TemporaryDirectory() as name, ServerProcess(GRADD_DATA_DIR=name, **_SETTINGS) as server:
        folder = Path(name)
        meter = Meter(server, folder, max(minutes / 12, 0.25))
        empty = meter.read()
        with workers(f"sqlite:///{folder / 'gradd.sqlite3'}", 1):
            clients = [Client(server.address, seed, counts, complaints, lock) for seed in range(CLIENTS)]
            threads = [Thread(target=go_on, args=(client, stop, complaints), daemon=True) for client in clients]
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + 60 * minutes
            while time.monotonic() < deadline:
                meter.read()
                time.sleep(1)
            stop.set()
            growth, full = meter.growth(), meter.read()
            for thread in threads:
                thread.join(150)
        delete_everything(server.address)
        time.sleep(40)  # Two rounds of the server, in which it gives free pages back.
        left = meter.read()
    print(left)
    print("answers:", ", ".join(f"{number} x {status}" for status, number in sorted(counts.items())))
    print(
        f"load: {sum(counts.values())} visits in {minutes:g} min; memory {empty.memory / MIB:.0f} MiB at the start, "
        f"{full.memory / MIB:.0f} at the end, {100 * growth:+.1f} % in the last quarter; database {full.database / MIB:.1f} "
        f"MiB before everything was deleted, {left.database / MIB:.1f} after"
    )
    if growth > MOST_GROWTH:
        complaints.append(f"the memory has grown by {100 * growth:.1f} %")
    for complaint, number in Counter(complaints).most_common(20):
        print(f"  {number} x {complaint}")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES))
