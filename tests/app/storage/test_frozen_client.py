"""A process that is stopped in the middle of a transaction, its locks and its connection still held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from app.storage import Database
from app.storage.base import now
from app.storage.tables.jobs import WorkerLease

HOLDING = """
import sys
from app.storage import Database
from app.storage.tables.jobs import WorkerLease
with Database(sys.argv[1]).write() as session:
    session.get(WorkerLease, "one", with_for_update=True).holder = "who froze"
    session.flush()
    print("holding", flush=True)
    sys.stdin.read()
"""


def test_nobody_waits_for_a_frozen_client(database: Database, address: str) -> None:
    if database.is_sqlite:
        pytest.skip("the lock of a SQLite file is its process's, and no server takes it back")
    with database.write() as session:
        session.add(WorkerLease(id="one", holder="before", lease_until=now()))
    command = [sys.executable, "-c", HOLDING, address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as frozen:
        try:
            assert frozen.stdout is not None
            assert frozen.stdout.readline() == "holding\n"
            frozen.send_signal(signal.SIGSTOP)
            with database.write() as session:
                row = session.get(WorkerLease, "one", with_for_update=True)
                assert row is not None
                assert row.holder == "before", "what the frozen client wrote is undone"
        finally:
            os.kill(frozen.pid, signal.SIGKILL)
