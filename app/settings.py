"""The settings of the service, read from environment variables with the prefix GRADD_."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MOST_CONNECTIONS = 10_000
"""The default of `max_connections` where a process may open more files. An idle connection takes some 10 kB."""


def default_connections() -> int:
    """Return the number of files that this process may open, less those that are no connections."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, files - max(64, files // 8)))


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

    authentication: Literal["auto", "required", "off"] = "auto"
    """Whether requests need an API key. `required`: all but those for health, documentation and GET /v1. `off`: none.
    `auto`: none that arrive at a loopback address of this machine, and all others; `gradd serve` then listens on no other
    address."""

    key_rate: float | None = Field(default=None, gt=0)
    """Requests a second of an API key that was made without `--rate`. Default: unlimited, as for the settings below."""

    key_burst: int | None = Field(default=None, gt=0)
    """Requests that may come at once with an API key that was made without `--burst`. Default: those of a second."""

    key_concurrency: int | None = Field(default=None, gt=0)
    """Requests that are answered at the same time for an API key that was made without `--concurrency`."""

    key_operations: float | None = Field(default=None, gt=0)
    """Floating-point operations a minute of an API key that was made without `--operations`."""

    key_storage_bytes: int | None = Field(default=None, gt=0)
    """Bytes of models, datasets and checkpoints of the owner of an API key that was made without `--storage-bytes`."""

    key_jobs: int | None = Field(default=None, gt=0)
    """Queued and running jobs of the owner of an API key that was made without `--jobs`."""

    max_layers: int = Field(default=1_000, gt=0)
    """Maximum number of layers of a network."""

    max_parameters: int = Field(default=50_000_000, gt=0)
    """Maximum number of elements of all parameters of a network together."""

    max_activations: int = Field(default=50_000_000, gt=0)
    """Maximum number of elements of the results of all layers together."""

    max_answer_elements: int = Field(default=10_000_000, gt=0)
    """Maximum number of tensor elements in an answer."""

    max_operations: float = Field(default=1e12, gt=0)
    """Maximum number of operations of a request, estimated before it is computed: 1e12 are about 30 seconds of one core.
    GET /v1 shows how they are counted."""

    max_memory_bytes: int = Field(default=2**30, gt=0)
    """Maximum memory in bytes of a request, estimated before it is computed."""

    max_seconds: float = Field(default=30.0, gt=0)
    """Maximum computing time of a request in seconds."""

    max_body_seconds: float = Field(default=30.0, gt=0)
    """Maximum time in seconds that a client may take to send a body."""

    allowed_hosts: str = "localhost,127.0.0.1,::1"
    """Names and addresses that the header Host of a request may have, separated by commas, without ports;
    `*.example.org` stands for all names below example.org, `*` for every host. The address to which a client connected is
    always allowed."""

    allowed_origins: str = ""
    """Origins of web pages that may use the service from a browser (CORS), separated by commas, such as
    https://course.example; `*` allows every page. Pages that the service serves itself need no entry."""

    max_head_seconds: float = Field(default=10.0, gt=0)
    """Maximum time in seconds that a client may take to send the head of a request. With `gradd serve`."""

    max_idle_seconds: float = Field(default=30.0, gt=0)
    """Seconds after which a connection without a request is closed. With `gradd serve`."""

    max_connections: int = Field(default_factory=default_connections, gt=0)
    """Maximum number of connections of each server process. Beyond it, the one that has been idle longest is closed.
    Default: the number of files that the process may open, less an eighth, and at most 10000. With `gradd serve`."""

    max_bytes_in_flight: int = Field(default=256 * 2**20, gt=0)
    """Maximum number of bytes of all request bodies in memory in each server process. An eighth is kept for bodies up to
    64 KiB. Further bodies are answered with status 503."""

    max_upload_bytes: int = Field(default=2 * 2**30, gt=0)
    """Maximum number of bytes of all uploads that are being received into the data folder, in each server process. Further
    uploads are answered with status 503."""

    compute_threads: int = Field(default_factory=lambda: os.cpu_count() or 1, gt=0)
    """Number of requests that each server process computes at the same time. Default: the number of processors; with
    `gradd serve --processes N`, its N-th part, but at least 2."""

    compute_processes: int = Field(default_factory=lambda data: data["compute_threads"], gt=0)
    """Number of large requests that are computed at the same time, each in a process of its own that can be killed. They are
    started when they are needed. Default: GRADD_COMPUTE_THREADS."""

    max_storage_bytes: int | None = Field(default=None, gt=0)
    """Maximum size in bytes of all tensors that are stored, as they are after decompression: models, datasets, requests and
    checkpoints of jobs. Default: the disk is the limit."""

    max_models: int | None = Field(default=None, gt=0)
    """Maximum number of stored models, without those of checkpoints. The results of jobs are stored beyond it. Default: no
    limit."""

    max_datasets: int | None = Field(default=None, gt=0)
    """Maximum number of stored datasets. Default: no limit."""

    max_jobs: int | None = Field(default=None, gt=0)
    """Maximum number of stored jobs, with those that have ended and the parts of sweeps. Default: no limit."""

    min_free_bytes: int = Field(default=64 * 2**20, ge=0)
    """Bytes that stay free on the disks of the data folder and of a SQLite database. With less, tensors are refused with
    status 507, and GET /readyz answers 503."""

    space_seconds: float = Field(default=60.0, ge=0)
    """Seconds that a training job waits for free space. It is then paused at its last checkpoint, with a warning."""

    keep_models_days: float | None = Field(default=None, gt=0)
    """Days after which models are removed, unless a job that has not ended names them. Default: they are kept."""

    keep_checkpoints_days: float | None = Field(default=None, gt=0)
    """Days after the end of a job after which its checkpoints and their models are removed. Default: they are kept."""

    keep_datasets_days: float | None = Field(default=None, gt=0)
    """Days after which datasets are removed, unless a job that has not ended uses them. Default: they are kept."""

    keep_jobs_days: float | None = Field(default=None, gt=0)
    """Days after the end of a job after which it is removed, with its events and checkpoints. The model that it has trained
    is kept. Default: jobs are kept."""

    keep_events_days: float | None = Field(default=None, gt=0)
    """Days after which the events of jobs that have ended are removed. Default: they are kept."""

    keep_idempotency_keys_days: float = Field(default=1.0, gt=0)
    """Days for which a request with an Idempotency-Key is answered as the first time."""

    prune_seconds: float = Field(default=600.0, ge=0)
    """Seconds between two rounds in which a server removes what the settings `GRADD_KEEP_...` do not keep. 0 turns them off:
    `gradd prune` does the same once."""

    lease_seconds: float = Field(default=10.0, ge=0.5)
    """Seconds without a sign of life after which a worker is presumed dead and its jobs are returned to the queue."""

    max_queued_jobs: int = Field(default=10_000, gt=0)
    """Maximum number of training jobs that wait in the queue; further ones are answered with status 503."""

    max_queued_jobs_per_key: int = Field(default=1_000, gt=0)
    """Maximum number of jobs of one key that wait or are paused; further ones are answered with status 429. The parts of a
    sweep count one by one."""

    max_running_jobs_per_key: int = Field(default=16, gt=0)
    """Maximum number of jobs of one key that run at the same time; further ones wait."""

    job_slice_seconds: float = Field(default=60.0, gt=0)
    """Seconds after which a running job gives up its worker if other jobs wait. It continues later, to the same bits."""

    checkpoint_every_seconds: float = Field(default=60.0, gt=0)
    """Seconds after which the state of a job is stored even within an epoch, so that no more work than that is lost."""

    job_stall_seconds: float = Field(default=300.0, gt=0)
    """Seconds without a step after which the process of a job is killed. The job is then tried again."""

    max_event_streams: int = Field(default=1_000, gt=0)
    """Maximum number of requests that wait for events of jobs in each server process, as a stream or with `wait`; further
    ones are answered with status 503."""

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
