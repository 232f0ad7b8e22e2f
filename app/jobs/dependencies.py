"""The watch of jobs as a dependency of routes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.jobs.watch import JobWatch


async def get_watch(request: Request) -> JobWatch:
    """Return the watch of this server process."""
    watch: JobWatch = request.app.state.job_watch
    return watch


WatchDep = Annotated[JobWatch, Depends(get_watch)]
