"""Training jobs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict, Unpack

import gradd_api
from gradd_api import models
from gradd_api.api.jobs import (
    cancel_job,
    create_job,
    delete_job,
    get_job,
    list_job_checkpoints,
    list_job_events,
    list_jobs,
    pause_job,
    resume_job,
)
from gradd_api.models import Checkpoint, Job, JobEvent
from gradd_api.types import UNSET
from numpy.typing import ArrayLike

from gradd_client.kept import pages, read
from gradd_client.kinds import Optimizer
from gradd_client.network import Json, Network, sent
from gradd_client.problem_members import Options, members_of, tensor
from gradd_client.tensor import Arrays

ENDED = ("succeeded", "failed", "cancelled")
LOOK_EVERY = 0.2
"""Seconds between two looks at the events of a job that is not over."""

LONGEST_WAIT = 30.0
"""Seconds that one request waits for the end of a job."""


class Data(TypedDict, total=False):
    """Examples, {"inputs": X, "targets": Y}, or {"dataset": id}."""

    inputs: ArrayLike | Arrays
    targets: ArrayLike
    sample_weight: ArrayLike
    first_label: int
    dataset: str


class Training:
    """The methods of the client for training jobs."""

    _api: gradd_api.Client

    def train(
        self,
        network: Network | None = None,
        data: Data | None = None,
        *,
        optimizer: Optimizer | Json | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        shuffle: bool | None = None,
        validation_fraction: float | None = None,
        early_stopping: Json | None = None,
        checkpoint_every_epochs: int | None = None,
        from_checkpoint: Json | None = None,
        sweep: Json | None = None,
        freeze: Sequence[str] | None = None,
        name: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[Options],
    ) -> Job:
        """POST /v1/jobs: puts a job into the queue. What is left out has the server's default, or a checkpoint's."""
        members = members_of(network, options)
        del members["encoding"]
        given = {
            "epochs": epochs,
            "batch_size": batch_size,
            "shuffle": shuffle,
            "validation_fraction": validation_fraction,
            "early_stopping": early_stopping and models.EarlyStopping.from_dict(early_stopping),
            "checkpoint_every_epochs": checkpoint_every_epochs,
            "from_checkpoint": from_checkpoint and models.FromCheckpoint.from_dict(from_checkpoint),
            "sweep": sweep and models.Sweep.from_dict(sweep),
            "freeze": freeze and list(freeze),
            "name": name,
        }
        members |= {key: value for key, value in given.items() if value is not None}
        if optimizer is not None:
            members["optimizer"] = sent(optimizer)
        if data is not None:
            members["data"] = models.JobData(**{key: _datum(value) for key, value in data.items()})
        key = UNSET if idempotency_key is None else idempotency_key
        return read(Job, create_job.sync(client=self._api, body=models.JobRequest(**members), idempotency_key=key))

    def job(self, id: str, *, wait_seconds: float = 0) -> Job:
        """GET /v1/jobs/{id}: how far it is; with `wait_seconds`, only once it has ended or so many are over."""
        return read(Job, get_job.sync(id, client=self._api, wait=wait_seconds))

    def wait_for(self, id: str) -> Job:
        """The job once it has ended, or once somebody has paused it."""
        while True:
            job = self.job(id, wait_seconds=LONGEST_WAIT)
            if job.status in (*ENDED, "paused"):
                return job

    def jobs(self) -> Iterator[Job]:
        """GET /v1/jobs: all of them, the newest first."""
        for part in pages(
            models.JobList, lambda after: list_jobs.sync(client=self._api, limit=100, after=after or UNSET)
        ):
            yield from part.data

    def events(self, id: str, *, after: int = 0) -> Iterator[JobEvent]:
        """GET /v1/jobs/{id}/events: those after one, and those to come until the job has ended."""
        while True:
            is_over = self.job(id).status in ENDED
            part = read(models.JobEventList, list_job_events.sync(id, client=self._api, after=after))
            for event in part.data:
                after = event.id
                yield event
            if is_over and not part.has_more:
                return
            if not part.has_more:
                time.sleep(LOOK_EVERY)

    def checkpoints(self, id: str) -> list[Checkpoint]:
        """GET /v1/jobs/{id}/checkpoints: the last two and the best; the model of each is one like any other."""
        return read(models.CheckpointList, list_job_checkpoints.sync(id, client=self._api)).data

    def cancel_job(self, id: str) -> Job:
        """POST /v1/jobs/{id}/cancel."""
        return read(Job, cancel_job.sync(id, client=self._api))

    def pause_job(self, id: str) -> Job:
        """POST /v1/jobs/{id}/pause."""
        return read(Job, pause_job.sync(id, client=self._api))

    def resume_job(self, id: str) -> Job:
        """POST /v1/jobs/{id}/resume."""
        return read(Job, resume_job.sync(id, client=self._api))

    def delete_job(self, id: str) -> None:
        """DELETE /v1/jobs/{id}: one that has ended; the model that it came to stays."""
        delete_job.sync(id, client=self._api)


def _datum(value: Any) -> Any:
    return value if isinstance(value, str) else tensor(value)
