"""The policy: for how long each kind of thing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, get_args

from app.settings import Settings

Kind = Literal["models", "checkpoints", "datasets", "jobs", "events", "idempotency_keys"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Policy = Mapping[Kind, timedelta]
"""The age at which things of a kind are removed. Kinds that it lacks are kept."""


def policy_of(settings: Settings) -> Policy:
    """Return the policy of the settings `keep_<kind>_days`."""
    days = {kind: getattr(settings, f"keep_{kind}_days") for kind in KINDS}
    return {kind: timedelta(days=number) for kind, number in days.items() if number is not None}
