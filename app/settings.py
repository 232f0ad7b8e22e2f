"""The settings of the service, read from environment variables with the prefix GRADD_."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings that an operator can change.

    Each field is the environment variable GRADD_<NAME>; docs/reference/settings.md lists them.
    """

    model_config = SettingsConfigDict(env_prefix="GRADD_", extra="ignore", use_attribute_docstrings=True, frozen=True)

    data_dir: Path = Path("data")
    """Folder in which the service stores its data."""

    database_url: str = Field(
        default_factory=lambda data: f"sqlite:///{data['data_dir'] / 'gradd.sqlite3'}", repr=False
    )
    """URL of the database, for instance postgresql://user:password@host/name. Default: a SQLite file in the data
    folder."""

    max_body_bytes: int = Field(default=64 * 2**20, gt=0)
    """Maximum size of a request body in bytes, after decompression."""

    max_model_bytes: int = Field(default=512 * 2**20, gt=0)
    """Maximum size in bytes of a file of a model that is imported. It is received into the data folder and takes no memory
    of its own. JSON and compressed files have the limit of a body."""

    max_layers: int = Field(default=1_000, gt=0)
    """Maximum number of layers of a network."""

    max_parameters: int = Field(default=50_000_000, gt=0)
    """Maximum number of elements of all parameters of a network together."""

    max_activations: int = Field(default=50_000_000, gt=0)
    """Maximum number of elements of the results of all layers together."""

    max_answer_elements: int = Field(default=10_000_000, gt=0)
    """Maximum number of tensor elements in an answer."""

    max_seconds: float = Field(default=30.0, gt=0)
    """Maximum computing time of a request in seconds."""

    max_body_seconds: float = Field(default=30.0, gt=0)
    """Maximum time in seconds that a client may take to send a body."""

    compute_threads: int = Field(default_factory=lambda: os.cpu_count() or 1, gt=0)
    """Number of requests that each server process computes at the same time. Default: the number of processors; with
    `gradd serve --processes N`, its N-th part, but at least 2."""

    lease_seconds: float = Field(default=10.0, ge=0.5)
    """Seconds without a sign of life after which a worker is presumed dead and its jobs are returned to the queue."""

    job_threads: int = Field(default=1, gt=0)
    """Number of linear algebra threads of a training job. Changing it can change the last bits of results."""

    job_engine: Literal["numpy", "compiled"] = "numpy"
    """Engine of training jobs. `compiled` trains networks of dense layers several times as fast, with other last bits, and
    needs numba: `pip install 'gradd[fast]'`. What it does not know is trained by NumPy, as a job's `environment` says."""

    max_waiting: int = Field(default=64, ge=0)
    """Maximum number of requests that wait to be computed in each server process; further requests are answered with status
    503."""

    form_cache_bytes: int = Field(default=64 * 2**20, ge=0)
    """Memory in bytes for what requests of the same form share, in each server process: inferred shapes and plans. 0 turns
    the cache off."""

    model_cache_bytes: int = Field(default=256 * 2**20, ge=0)
    """Memory in bytes for stored models that requests have used, in each server process. 0 turns the cache off."""

    metrics_dir: Path | None = None
    """Folder in which the processes of a service leave their counts, so that GET /metrics shows all of them. `gradd serve`
    makes one and removes it when it ends."""

    worker_metrics_port: int | None = Field(default=None, gt=0, lt=65536)
    """Port of 127.0.0.1 on which `gradd worker` shows its metrics. Default: none, as `gradd serve` shows those of its own
    worker."""

    log_format: Literal["json", "text"] | None = None
    """Format of the log. Default: text on a terminal, otherwise json."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious records that are logged."""

    log_client_address: bool = False
    """Whether access records have the address of the client."""

    access_log: bool = False
    """Whether each request is logged, as by `gradd serve --access-log`."""
