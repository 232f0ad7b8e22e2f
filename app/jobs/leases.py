"""Leases: a worker that does not renew its own in time is taken for dead, and its jobs go to others."""

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
    """The database's time, where it has one: the clocks of machines differ. A SQLite file is on one machine."""
    if session.get_bind().dialect.name == "sqlite":
        return now()
    moment: datetime = session.scalars(select(func.clock_timestamp())).one()
    return moment


def take(session: Session, executor: str, seconds: float) -> None:
    """Begin to work under a new id."""
    holder = f"{platform.node()}:{os.getpid()}"[:200]
    session.add(WorkerLease(id=executor, holder=holder, lease_until=clock(session) + timedelta(seconds=seconds)))


def renew(session: Session, executor: str, seconds: float) -> bool:
    """Go on for a while; False where the jobs have gone to others, who delete the row of whom they take for dead.

    A lease that ended unnoticed goes on: a long write of a job's own process may have kept everyone from the database.
    """
    until = clock(session) + timedelta(seconds=seconds)
    renewed = update(WorkerLease).where(WorkerLease.id == executor).values(lease_until=until).returning(WorkerLease.id)
    return session.scalar(renewed) is not None


def is_alive(session: Session, executor: str) -> bool:
    """Whether a worker may take a job; its row stays locked, so that nobody ends the lease in the same moment."""
    row = session.scalars(select(WorkerLease).where(WorkerLease.id == executor).with_for_update()).one_or_none()
    return row is not None and row.lease_until > clock(session)


def end(session: Session, executor: str) -> None:
    """Let a lease end now: its holder is known to be dead."""
    session.execute(update(WorkerLease).where(WorkerLease.id == executor).values(lease_until=clock(session)))


def ended(session: Session) -> Sequence[str]:
    """The workers whose lease has ended. Each is locked by one who asks, and others pass over it."""
    over = select(WorkerLease).where(WorkerLease.lease_until <= clock(session)).order_by(WorkerLease.id)
    return [row.id for row in session.scalars(over.with_for_update(skip_locked=True))]


def forget(session: Session, executor: str) -> None:
    """Delete the row of a worker that has no job any more."""
    busy = select(StoredJob.number).where(StoredJob.executor == executor).exists()
    session.execute(delete(WorkerLease).where(WorkerLease.id == executor, ~busy))
