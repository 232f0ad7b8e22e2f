"""Settings: environment variables with the prefix GRADD_, all of them, with their defaults."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator may change. Each field is the variable GRADD_<NAME>; README.md shows them in one table."""

    model_config = SettingsConfigDict(env_prefix="GRADD_", extra="ignore", use_attribute_docstrings=True, frozen=True)

    data_dir: Path = Path("data")
    """Folder that holds everything the service keeps."""

    database_url: str = Field(
        default_factory=lambda data: f"sqlite:///{data['data_dir'] / 'gradd.sqlite3'}", repr=False
    )
    """Address of the database, postgresql://user:password@host/name for instance. Default: a SQLite file in the data
    folder."""

    max_body_bytes: int = Field(default=64 * 2**20, gt=0)
    """Largest body of a request, in bytes, after decompression."""

    max_layers: int = Field(default=1_000, gt=0)
    """Most layers of a network."""

    max_parameters: int = Field(default=50_000_000, gt=0)
    """Most numbers in the parameters of a network."""

    max_activations: int = Field(default=50_000_000, gt=0)
    """Most numbers in the results of all layers together."""

    max_answer_elements: int = Field(default=10_000_000, gt=0)
    """Most numbers in an answer."""

    max_seconds: float = Field(default=30.0, gt=0)
    """Longest time that one request may compute, in seconds."""

    max_body_seconds: float = Field(default=30.0, gt=0)
    """Longest time that a client may take to send a body, in seconds."""

    compute_threads: int = Field(default_factory=lambda: os.cpu_count() or 1, gt=0)
    """Requests that compute at the same time. Default: the number of processors."""

    lease_seconds: float = Field(default=10.0, ge=0.5)
    """Seconds after which a worker that does not answer has lost its jobs to others."""

    job_threads: int = Field(default=1, gt=0)
    """Threads of linear algebra in a training job. Another number may give other last bits."""

    max_waiting: int = Field(default=64, ge=0)
    """Requests that may wait for their turn to compute; one more is answered 503."""
