"""Jobs that continue from a checkpoint of another job."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from app.http.caller import Caller
from app.jobs import checkpoints, repository
from app.jobs.request_schemas import FromCheckpoint, JobRequest
from app.jobs.serialization import load_request
from app.storage import Database
from app.storage.tables.jobs import StoredCheckpoint, StoredJob
from core.errors import Issue, Refusal, refuse_if_any
from core.problem import Problem

FIXED_BY_CHECKPOINT = ("model", "network", "parameters", "state", "convention", "dtype", "feedback", "sweep")


class Continuation:
    """The job and the checkpoint that a new job continues from."""

    def __init__(self, body: JobRequest, source: FromCheckpoint, database: Database, caller: Caller) -> None:
        """Read the job and the checkpoint.

        Raises:
            Refusal: if there is no such checkpoint, or the request contains fields that the checkpoint determines.
        """
        _refuse_fixed(body)
        self._source, self._caller = source, caller
        with database.read() as session:
            job = _job_of(session, source, caller)
            if job.parts:
                detail = f"Job {job.id} is a sweep. It has no checkpoints itself; its parts have them."
                raise Refusal.of("invalid-request", detail, "from_checkpoint", "job")
            checkpoint = checkpoints.find(session, job, source.epoch)
            self.start = replace(checkpoints.state_of(session, checkpoint), best=None)
            """The initial training state. The best epoch is determined anew."""

            before, self.dataset = load_request(session, job)
            self.data, self.model = job.data, job.model
        sent = {name: getattr(body, name) for name in body.model_fields_set}
        self.body = before.model_copy(update=sent)
        """The request, with missing fields taken from the other job."""

        if "data" in sent:
            self.data, self.dataset = None, None
        _refuse_done(self.body, checkpoint)

    def checkpoint(self, session: Session) -> StoredCheckpoint:
        """Return the checkpoint and lock its job, so that it is not deleted before the new job is written.

        Raises:
            Refusal: if the checkpoint no longer exists.
        """
        job = _job_of(session, self._source, self._caller, lock=True)
        found = checkpoints.find(session, job, self._source.epoch)
        _refuse_done(self.body, found)
        return found

    def refuse_other_shapes(self, problem: Problem) -> None:
        """Refuse data for which the parameters of the checkpoint have the wrong shapes."""
        issues = []
        for node in problem.nodes:
            for name, parameter in node.parameters.items():
                found = self.start.parameters.get(node.name, {}).get(name)
                if found is not None and found.shape != parameter.shape:
                    detail = f"The {name} of layer {node.name!r} needs another shape for these inputs than in the checkpoint."
                    expected, got = list(found.shape), list(parameter.shape)
                    issues.append(
                        Issue(code="shape-mismatch", path=("data",), detail=detail, expected=expected, got=got)
                    )
        refuse_if_any(issues)


def _job_of(session: Session, source: FromCheckpoint, caller: Caller, *, lock: bool = False) -> StoredJob:
    """Return the job that the new job continues from.

    Raises:
        Refusal: `unknown-name`, if there is no such job.
    """
    try:
        return repository.find(session, source.job, caller, lock=lock)
    except Refusal as refusal:
        detail = refusal.issues[0].detail
        raise Refusal.of("unknown-name", detail, "from_checkpoint", "job", got=source.job) from None


def _refuse_fixed(body: JobRequest) -> None:
    """Refuse fields that the checkpoint determines."""
    refuse_if_any(
        [
            Issue(
                code="invalid-request",
                path=(name,),
                detail=f"A job that continues from a checkpoint keeps its {name}.",
                hint='Send the model of the checkpoint as "model" instead, to start a new job from it.',
            )
            for name in FIXED_BY_CHECKPOINT
            if name in body.model_fields_set and getattr(body, name) is not None
        ]
    )


def _refuse_done(body: JobRequest, checkpoint: StoredCheckpoint) -> None:
    """Refuse a number of epochs that the checkpoint has already reached."""
    if body.epochs and body.epochs <= checkpoint.epoch:
        detail = f"The checkpoint is of epoch {checkpoint.epoch}, and `epochs` includes the epochs before it."
        hint = f"Send a number of epochs greater than {checkpoint.epoch}."
        raise Refusal.of("invalid-request", detail, "epochs", got=body.epochs, hint=hint)
