"""What a request takes over from the job from whose checkpoint it goes on."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from app.jobs import checkpoints, repository
from app.jobs.schemas import FromCheckpoint, JobRequest
from app.jobs.serialization import loaded
from app.storage import Database
from app.storage.tables.jobs import StoredCheckpoint, StoredJob
from core.errors import Issue, Refusal, refuse_if_any
from core.problem import Problem

FIXED_BY_CHECKPOINT = ("model", "network", "parameters", "state", "convention", "dtype", "feedback", "sweep")


class Continuation:
    """The other job and its checkpoint, as they were found."""

    def __init__(self, body: JobRequest, source: FromCheckpoint, database: Database) -> None:
        """Read both.

        Raises:
            Refusal: where there is no such checkpoint, or the request brings what is fixed by it.
        """
        _refuse_fixed(body)
        self._source = source
        with database.read() as session:
            job = _job_of(session, source)
            if job.parts:
                detail = f"Job {job.id} is a sweep: its parts have the checkpoints."
                raise Refusal.of("invalid-request", detail, "from_checkpoint", "job")
            checkpoint = checkpoints.find(session, job, source.epoch)
            self.start = replace(checkpoints.state_of(session, checkpoint), best=None)
            """Where the run begins; it looks for its best epoch anew."""

            before, self.dataset = loaded(session, job)
            self.data, self.model = job.data, job.model
        sent = {name: getattr(body, name) for name in body.model_fields_set}
        self.body = before.model_copy(update=sent)
        """The request with what the other job has and it does not bring."""

        if "data" in sent:
            self.data, self.dataset = None, None
        _refuse_done(self.body, checkpoint)

    def checkpoint(self, session: Session) -> StoredCheckpoint:
        """The checkpoint as it is now: the job may have gone on, and what it keeps now it keeps until this is written.

        Raises:
            Refusal: as at first.
        """
        job = _job_of(session, self._source, lock=True)
        found = checkpoints.find(session, job, self._source.epoch)
        _refuse_done(self.body, found)
        return found

    def refuse_other_shapes(self, problem: Problem) -> None:
        """Refuse data for which the parameters of the checkpoint would have to have other shapes."""
        issues = []
        for node in problem.nodes:
            for name, parameter in node.parameters.items():
                found = self.start.parameters.get(node.name, {}).get(name)
                if found is not None and found.shape != parameter.shape:
                    detail = (
                        f"With these inputs the {name} of layer {node.name!r} has another shape than in the checkpoint."
                    )
                    expected, got = list(found.shape), list(parameter.shape)
                    issues.append(
                        Issue(code="shape-mismatch", path=("data",), detail=detail, expected=expected, got=got)
                    )
        refuse_if_any(issues)


def _job_of(session: Session, source: FromCheckpoint, *, lock: bool = False) -> StoredJob:
    """The other job.

    Raises:
        Refusal: `unknown-name`, where there is none.
    """
    try:
        return repository.find(session, source.job, lock=lock)
    except Refusal as refusal:
        detail = refusal.issues[0].detail
        raise Refusal.of("unknown-name", detail, "from_checkpoint", "job", got=source.job) from None


def _refuse_fixed(body: JobRequest) -> None:
    """Refuse what a checkpoint decides."""
    refuse_if_any(
        [
            Issue(
                code="invalid-request",
                path=(name,),
                detail=f"A job that goes on from a checkpoint has its {name}.",
                hint='Send "model" with the model of the checkpoint to begin anew from there.',
            )
            for name in FIXED_BY_CHECKPOINT
            if name in body.model_fields_set and getattr(body, name) is not None
        ]
    )


def _refuse_done(body: JobRequest, checkpoint: StoredCheckpoint) -> None:
    """Refuse epochs that are done already."""
    if body.epochs and body.epochs <= checkpoint.epoch:
        detail = f"The checkpoint is of epoch {checkpoint.epoch}; epochs counts from the very beginning."
        hint = f"More than {checkpoint.epoch} go on from there."
        raise Refusal.of("invalid-request", detail, "epochs", got=body.epochs, hint=hint)
