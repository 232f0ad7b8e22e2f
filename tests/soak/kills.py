"""Kills at random moments: python -m tests.soak.kills [N]. Nothing that was promised is lost, and no bit is another.

Workers, the processes that train, the server and the processes that compute are killed with kill -9, N times in all, while
jobs are trained, models and datasets are stored and large computations are asked for.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from contextlib import suppress

import httpx

from app.storage import Database
from tests.app.jobs.service import WorkerProcess, workers
from tests.soak.clients import Computing, Storing, insist
from tests.soak.databases import address_of, kinds, migrated
from tests.soak.disturbed_jobs import DisturbedJobs, has_died_lately
from tests.soak.server_process import ServerProcess, children_of, kill

KILLS = 1000
SEED = 20261128
VICTIMS = {"worker": 3, "training process": 4, "server": 1, "compute process": 2}
"""How often a kind of process is drawn."""

JOBS_AT_A_TIME = 2


class Killer:
    """Kills one process at a time."""

    def __init__(
        self, database: Database, server: ServerProcess, running: list[WorkerProcess], chance: random.Random
    ) -> None:
        """Prepare, for a server and two workers on one database."""
        self._database, self._server, self._running, self._chance = database, server, running, chance
        self.counts: Counter[str] = Counter()
        self.orphans: set[int] = set()

    def kill_one(self) -> None:
        """Kill a process of a random kind, if there is one, and start what has to be started."""
        (kind,) = self._chance.choices(list(VICTIMS), list(VICTIMS.values()))
        place = self._chance.randrange(len(self._running))
        worker = self._running[place]
        if kind == "server":
            self.orphans.update(children_of(self._server.pid))
            self._server.kill()
            self._server.start()
            self._server.wait()
            done = True
        elif kind == "compute process":
            done = self._kill_compute_process()
        elif has_died_lately(self._database, worker):
            return
        elif kind == "worker":
            self.orphans.update(worker.children())
            worker.kill()
            self._running[place] = WorkerProcess(address_of(self._database))
            done = True
        else:
            done = worker.kill_child()
        if done:
            self.counts[kind] += 1

    def _kill_compute_process(self) -> bool:
        """Kill one, somewhere in its life. A server that was started lately may have none for some seconds."""
        deadline = time.monotonic() + 10
        while not (children := children_of(self._server.pid)):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        time.sleep(self._chance.uniform(0.0, 2.0))
        return kill(self._chance.choice(children))


def wait_for_orphans(orphans: set[int]) -> None:
    """Wait until no process is left whose parent was killed.

    Raises:
        AssertionError: if one goes on.
    """
    deadline = time.monotonic() + 60
    while left := [pid for pid in orphans if _runs(pid)]:
        assert time.monotonic() < deadline, f"the processes {left} outlive the ones that started them"
        time.sleep(0.2)


def _runs(pid: int) -> bool:
    """Whether a process runs. It has no parent any more, and the number may belong to another one by now."""
    with suppress(OSError):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = file.read()
        return os.getpgid(pid) > 0 and (b"app.worker" in command or b"anyio" in command)
    return False


def run(kind: str, count: int, seed: int) -> str:
    """Kill so many processes on a database of a kind, and return the figures."""
    chance, began = random.Random(seed), time.monotonic()
    with migrated(kind) as database:
        address = address_of(database)
        with (
            ServerProcess(GRADD_DATABASE_URL=address) as server,
            httpx.Client(base_url=server.address, timeout=120) as client,
            workers(address, 2) as running,
        ):
            jobs = DisturbedJobs(client, chance)
            jobs.train_undisturbed()
            killer = Killer(database, server, running, chance)
            with Storing(server.address, seed) as storing, Computing(server.address) as computing:
                while killer.counts.total() < count:
                    jobs.keep_going(JOBS_AT_A_TIME)
                    time.sleep(chance.uniform(0.0, 0.6))
                    killer.kill_one()
            trained, kept = jobs.assert_same_bits(), storing.assert_kept(client)
            assert insist(client, "GET", "/readyz").status_code == 200
            wait_for_orphans(killer.orphans)
    told = ", ".join(f"{number} of a {name}" for name, number in sorted(killer.counts.items()))
    seconds = time.monotonic() - began
    return (
        f"{kind}: {killer.counts.total()} kills ({told}) in {seconds:.0f} s; {trained} jobs ended with the bits of "
        f"undisturbed ones; {kept} models and datasets kept, none lost; {computing.counts['answered']} large computations "
        "answered, all alike"
    )


def main(count: int) -> None:
    """Kill so many processes, on each database its share."""
    found = kinds()
    for place, kind in enumerate(found):
        share = count // len(found) + (place < count % len(found))
        if share:
            print(run(kind, share, SEED + place), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS)
