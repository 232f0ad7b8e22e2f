"""Training in the current process: the request of POST /v1/jobs without the queue and without checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import threadpoolctl  # type: ignore[import-untyped]

from app.compiled.choice import choose_engine, refuse_if_missing
from app.http.caller import OPERATOR
from app.jobs.request_schemas import JobRequest
from app.jobs.serialization import problem_and_recipe
from app.jobs.service import PreparedJob
from app.settings import Settings
from app.storage import Database
from app.wire.decode import decode
from core.errors import Refusal
from core.model import Model
from core.training import TrainingState, epoch_of_result, model_of, result_of, train
from core.training.examples import objective_of


class LocalRun:
    """The training of one request in the current process."""

    def __init__(self, body: bytes, settings: Settings) -> None:
        """Read the request. Models, datasets and checkpoints that it names are read from the database.

        Raises:
            Refusal: with all errors of the request, or if the engine of the settings is not installed.
        """
        refuse_if_missing(settings.job_engine)
        sent = decode(body, JobRequest)
        database = Database(settings.database_url)
        _refuse_without_database(sent, database)
        try:
            request = PreparedJob(sent, settings, database, OPERATOR)
        finally:
            database.close()
        if request.parts:
            detail = "Sweeps need a server, because every part is a job of its own."
            hint = "Use `gradd train --server http://127.0.0.1:8000`."
            raise Refusal.of("unsupported-operator", detail, "sweep", hint=hint)
        self._problem, self._recipe = problem_and_recipe(request.body, request.dataset)
        self._state: TrainingState | None = request.continuation.start if request.continuation else None
        self._threads = settings.job_threads
        self._engine = choose_engine(settings.job_engine, self._problem, self._recipe, settings.data_dir)
        self._reason = "epochs"

    def progress(self) -> Iterator[dict[str, Any]]:
        """Train, and yield the progress after every epoch in the form of a job's progress.

        Raises:
            Refusal: if training diverges.
        """
        with threadpoolctl.threadpool_limits(self._threads, "blas"):
            for epoch in train(self._problem, self._recipe, self._state, engine=self._engine.factory):
                # After every epoch, so that a run which is interrupted in the next one has a model.
                self._state, self._reason = epoch.state(), epoch.reason or self._reason
                report: dict[str, Any] = epoch.report.as_json()
                yield report | {"epochs": self._recipe.epochs, "step": report["steps"]}

    @property
    def epochs(self) -> int:
        """Epochs to do."""
        return self._recipe.epochs

    @property
    def epochs_done(self) -> int:
        """Epochs done, those before the checkpoint that the run began at included."""
        return self._state.epoch if self._state else 0

    @property
    def examples_per_epoch(self) -> int:
        """Examples that each epoch trains on; the validation examples are not among them."""
        examples = len(objective_of(self._problem).targets)
        return examples - round(self._recipe.validation_fraction * examples)

    def model(self) -> Model:
        """Return the model of the last finished epoch, or with early stopping that of the best one."""
        return model_of([node.layer for node in self._problem.nodes], *result_of(self._reached))

    def result(self) -> dict[str, Any]:
        """Return the epoch of the model, the reason why the run ended and, unless it is the default, the engine."""
        result = {"epoch": epoch_of_result(self._reached), "reason": self._reason}
        return result if self._engine.recorded == {"name": "numpy"} else result | {"engine": self._engine.recorded}

    @property
    def _reached(self) -> TrainingState:
        if self._state is None:
            raise LookupError("no epoch has ended yet")
        return self._state


def _refuse_without_database(sent: JobRequest, database: Database) -> None:
    """Refuse references to stored objects if there is no database."""
    file = Path(database.url.database or "")
    dataset = sent.data and sent.data.dataset
    named = {"model": sent.model, "data": dataset, "from_checkpoint": sent.from_checkpoint and sent.from_checkpoint.job}
    if not database.is_sqlite or file.exists():
        return
    for place, identity in named.items():
        if identity is not None:
            detail = f"{identity} cannot be found: there is no database {file}."
            hint = "Set GRADD_DATA_DIR or GRADD_DATABASE_URL, or use --server to train on the server that has the data."
            raise Refusal.of("unknown-name", detail, place, hint=hint)
