"""Leases of workers: a worker that does not renew its lease in time is presumed dead, and its jobs are requeued."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.storage.base import now
from app.storage.tables.jobs import StoredJob, WorkerLease


def clock(session: Session) -> datetime:
    """Return the time of the database, because the clocks of machines differ.

    SQLite is on one machine and uses its clock.
    """
    if session.get_bind().dialect.name == "sqlite":
        return now()
    moment: datetime = session.scalars(select(func.clock_timestamp())).one()
    return moment


def _host() -> str:
    return platform.node()[:180]


def alive_on_this_host(session: Session) -> Sequence[str]:
    """Return the holders of valid leases on this host, such as `host:4711`."""
    valid = WorkerLease.holder.startswith(f"{_host()}:", autoescape=True), WorkerLease.lease_until > clock(session)
    return session.scalars(select(WorkerLease.holder).where(*valid).order_by(WorkerLease.holder)).all()


def take(session: Session, executor: str, seconds: float) -> None:
    """Insert the lease of a new worker."""
    holder = f"{_host()}:{os.getpid()}"
    session.add(WorkerLease(id=executor, holder=holder, lease_until=clock(session) + timedelta(seconds=seconds)))


def renew(session: Session, executor: str, seconds: float) -> bool:
    """Extend a worker's lease. Returns False if another worker declared this one dead and requeued its jobs.

    A lease that expired unnoticed is extended too: a long write of the job's own process may have kept every worker from
    the database.
    """
    until = clock(session) + timedelta(seconds=seconds)
    renewed = update(WorkerLease).where(WorkerLease.id == executor).values(lease_until=until).returning(WorkerLease.id)
    return session.scalar(renewed) is not None


def is_alive(session: Session, executor: str) -> bool:
    """Return whether the worker's lease is valid. Its row stays locked, so that no other worker can end the lease."""
    row = session.scalars(select(WorkerLease).where(WorkerLease.id == executor).with_for_update()).one_or_none()
    return row is not None and row.lease_until > clock(session)


def end(session: Session, executor: str) -> None:
    """End a lease immediately, because its worker is known to be dead."""
    session.execute(update(WorkerLease).where(WorkerLease.id == executor).values(lease_until=clock(session)))


def lock_expired(session: Session) -> Sequence[str]:
    """Lock and return the workers whose lease has expired. Rows that another worker has locked are skipped."""
    over = select(WorkerLease).where(WorkerLease.lease_until <= clock(session)).order_by(WorkerLease.id)
    return [row.id for row in session.scalars(over.with_for_update(skip_locked=True))]


def forget(session: Session, executor: str) -> None:
    """Delete the lease of a worker that has no job."""
    busy = select(StoredJob.number).where(StoredJob.executor == executor).exists()
    session.execute(delete(WorkerLease).where(WorkerLease.id == executor, ~busy))
