"""Connections to PostgreSQL that break: python -m tests.soak.restarts [N]. Nothing that was promised is lost.

pg_terminate_backend ends one or all of the connections of a service, N times, as a restart of the database does, while jobs
are trained and models and datasets are stored. GRADD_TEST_POSTGRES names the server.
"""

from __future__ import annotations

import random
import sys
import time

import httpx
import psycopg

from tests.app.conftest import POSTGRES
from tests.app.jobs.service import workers
from tests.soak.clients import Storing
from tests.soak.databases import address_of, migrated
from tests.soak.disturbed_jobs import DisturbedJobs
from tests.soak.server_process import ServerProcess

TERMINATIONS = 300
SEED = 20261128
ALL = 0.3
"""How often all connections break at once."""

_OTHERS = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"


class Breaker:
    """Breaks connections to one database, from a connection to another one."""

    def __init__(self, server: psycopg.Connection, database: str, chance: random.Random) -> None:
        """Prepare, with a connection of a superuser."""
        self._server, self._database, self._chance = server, database, chance
        self.times = self.broken = 0

    def break_some(self) -> None:
        """Break one connection, or all of them."""
        pids = [pid for (pid,) in self._server.execute(_OTHERS, (self._database,)).fetchall()]
        if not pids:
            return
        chosen = pids if self._chance.random() < ALL else [self._chance.choice(pids)]
        for pid in chosen:
            self._server.execute("SELECT pg_terminate_backend(%s)", (pid,))
        self.times += 1
        self.broken += len(chosen)


def run(count: int, seed: int) -> str:
    """Break connections so many times and return the figures."""
    chance, began = random.Random(seed), time.monotonic()
    with migrated("postgresql") as database, psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as other:
        address = address_of(database)
        breaker = Breaker(other, str(database.url.database), chance)
        with (
            ServerProcess(GRADD_DATABASE_URL=address) as server,
            httpx.Client(base_url=server.address, timeout=120) as client,
            workers(address, 2) as running,
        ):
            jobs = DisturbedJobs(client, chance)
            jobs.train_undisturbed()
            with Storing(server.address, seed) as storing:
                while breaker.times < count:
                    jobs.keep_going(2)
                    time.sleep(chance.uniform(0.0, 0.6))
                    breaker.break_some()
            trained, kept = jobs.assert_same_bits(), storing.assert_kept(client)
            assert all(worker.process.poll() is None for worker in running), "a worker has ended"
    seconds = time.monotonic() - began
    return (
        f"postgresql: {breaker.broken} connections broken at {breaker.times} moments in {seconds:.0f} s; {trained} jobs "
        f"ended with the bits of undisturbed ones; {kept} models and datasets kept, none lost"
    )


def main(count: int) -> None:
    """Break connections at so many moments."""
    if not POSTGRES:
        print("postgresql: left out, because GRADD_TEST_POSTGRES names no server")
        return
    print(run(count, SEED), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TERMINATIONS)
