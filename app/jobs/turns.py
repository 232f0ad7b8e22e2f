"""Turns: which of the queued jobs is the next one.

Owners take turns, and within an owner its lanes: the short jobs, the long jobs, and each sweep. The next job is of the owner
with the fewest running jobs, of several the one that was served least recently; likewise its lane; and in the lane it is
the job that has waited longest. A job that gave up its place after a time slice waits again from then on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.storage.blobs import insert_unless_there
from app.storage.tables.jobs import QueueTurn, StoredJob

SHORT, LONG = "short", "long"
"""Lanes of jobs that are no part of a sweep; the lane of a part is the id of its sweep."""

SHORT_COST = 1e9
"""Largest product of examples, epochs and parameters of a short job: a few seconds of a processor."""

ALL = ""
"""The lane that stands for all of an owner's, and the owner of jobs without one."""

CLAIMS, POSTS = 0x67726A63, 0x67726A70
"""Keys of the PostgreSQL advisory locks that one claim and one count of the queue at a time hold."""

QUEUED = StoredJob.status == "queued", StoredJob.parts == 0


@dataclass(frozen=True, slots=True)
class Line:
    """The jobs of an owner or of a lane that wait."""

    waiting: int
    """Number of them."""

    served: int
    """Number of its last turn."""

    oldest: int
    """The smallest number of a job."""


def lock(session: Session, key: int) -> None:
    """Wait until no other transaction holds the lock, and hold it. On SQLite writers exclude each other anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(key)))


def lane_of(examples: int, epochs: int, parameters: int) -> str:
    """Return the lane of a job that is no part of a sweep."""
    return SHORT if float(examples) * epochs * parameters <= SHORT_COST else LONG


def next_job(session: Session, most_running: int | None = None, *, leaving: StoredJob | None = None) -> str | None:
    """Return the id of the job whose turn it is.

    Args:
        session: any session; without the lock of `CLAIMS`, another transaction may claim the job first.
        most_running: the number of running jobs with which an owner is not served. Jobs without an owner have no bound.
        leaving: a running job that would make room.

    Returns:
        The id; None if no job waits that may run.
    """
    waiting = session.execute(
        select(StoredJob.owner, StoredJob.lane, func.min(StoredJob.number))
        .where(*QUEUED)
        .group_by(StoredJob.owner, StoredJob.lane)
    ).all()
    if not waiting:
        return None
    busy = _running(session)
    if leaving is not None:
        busy[leaving.owner or ALL, leaving.lane] -= 1
        busy[leaving.owner or ALL, ALL] -= 1
    served = {(turn.owner, turn.lane): turn.served for turn in session.scalars(select(QueueTurn))}
    # By owner and lane, how they compare: the smallest is next.
    ranks = {
        (owner or ALL, lane): (
            (busy[owner or ALL, ALL], served.get((owner or ALL, ALL), 0)),
            (busy[owner or ALL, lane], served.get((owner or ALL, lane), 0)),
            oldest,
        )
        for owner, lane, oldest in waiting
        if not (owner and most_running and busy[owner, ALL] >= most_running)
    }
    if not ranks:
        return None
    # Of owners that compare equal, the one with the oldest job; its lanes are then compared among themselves.
    eldest = {owner: min(rank[2] for (other, _), rank in ranks.items() if other == owner) for owner, _ in ranks}
    owner, lane = min(ranks, key=lambda key: (ranks[key][0], eldest[key[0]], ranks[key][1:]))
    mine = StoredJob.lane == lane, StoredJob.owner == owner if owner else StoredJob.owner.is_(None)
    first = select(StoredJob.id).where(*QUEUED, *mine).order_by(StoredJob.queued_at, StoredJob.number)
    return session.scalars(first.limit(1)).one_or_none()


def _running(session: Session) -> Counter[tuple[str, str]]:
    """Return the number of running jobs by owner and lane, and of all lanes of an owner."""
    busy: Counter[tuple[str, str]] = Counter()
    rows = (
        select(StoredJob.owner, StoredJob.lane, func.count())
        .where(StoredJob.status == "running", StoredJob.parts == 0)
        .group_by(StoredJob.owner, StoredJob.lane)
    )
    for owner, lane, count in session.execute(rows):
        busy[owner or ALL, lane] += count
        busy[owner or ALL, ALL] += count
    return busy


def record_turn(session: Session, job: StoredJob) -> None:
    """Record that a job is served, so that the turns of its owner and of its lane come after all others."""
    owner = job.owner or ALL
    number = 1 + (session.scalar(select(func.max(QueueTurn.served))) or 0)
    for lane in (job.lane, ALL):
        insert_unless_there(session, QueueTurn, {"owner": owner, "lane": lane, "served": number})
        mine = QueueTurn.owner == owner, QueueTurn.lane == lane
        session.execute(update(QueueTurn).where(*mine).values(served=number))
    # Sweeps end; the turns of their lanes go with them.
    going_on = select(StoredJob.number).where(
        StoredJob.lane == QueueTurn.lane, StoredJob.status.in_(("queued", "running", "paused"))
    )
    session.execute(delete(QueueTurn).where(QueueTurn.lane.not_in((ALL, SHORT, LONG)), ~going_on.exists()))


def position(session: Session, job: StoredJob) -> int | None:
    """Return the position of a queued job in the queue, counted from 1, if all owners and lanes take turns one by one."""
    if job.status != "queued" or job.parts:
        return None
    served = {(turn.owner, turn.lane): turn.served for turn in session.scalars(select(QueueTurn))}
    owners: dict[str, Line] = {}
    lanes: dict[str, Line] = {}
    rows = select(StoredJob.owner, StoredJob.lane, func.count(), func.min(StoredJob.number)).where(*QUEUED)
    for owner, lane, count, oldest in session.execute(rows.group_by(StoredJob.owner, StoredJob.lane)):
        name = owner or ALL
        known = owners.get(name, Line(0, served.get((name, ALL), 0), oldest))
        owners[name] = Line(known.waiting + count, known.served, min(known.oldest, oldest))
        if owner == job.owner:
            lanes[lane] = Line(count, served.get((name, lane), 0), oldest)
    before = (
        select(func.count())
        .select_from(StoredJob)
        .where(
            *QUEUED,
            StoredJob.lane == job.lane,
            StoredJob.owner == job.owner if job.owner else StoredJob.owner.is_(None),
            (StoredJob.queued_at < job.queued_at)
            | ((StoredJob.queued_at == job.queued_at) & (StoredJob.number < job.number)),
        )
    )
    place = _place(session.scalar(before) or 0, job.lane, lanes)
    return 1 + _place(place, job.owner or ALL, owners)


def _place(before: int, name: str, lines: dict[str, Line]) -> int:
    """Return how many are served before the one with so many before it in its own line, if all lines take turns."""
    mine = lines[name]
    others = (
        min(line.waiting, before + ((line.served, line.oldest) < (mine.served, mine.oldest)))
        for other, line in lines.items()
        if other != name
    )
    return before + sum(others)
