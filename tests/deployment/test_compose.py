"""docker-compose.yml: settings that there are, and containers that write nowhere else."""

from __future__ import annotations

import pytest
import yaml

from app.settings import Settings
from tests import ROOT

SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
OURS = ("migrate", "api", "worker")


@pytest.mark.parametrize("name", OURS)
def test_its_settings_are_valid(name: str) -> None:
    given = {
        variable.removeprefix("GRADD_").lower(): value
        for variable, value in SERVICES[name]["environment"].items()
        if variable.startswith("GRADD_")
    }
    assert given.keys() <= Settings.model_fields.keys()
    settings = Settings(**given)
    assert settings.database_url.startswith("postgresql://")
    # Large requests, bodies, caches and the process itself: "How large?" in docs/operations/deploy.md.
    large = settings.compute_threads * (100e6 + settings.max_memory_bytes)
    caches = settings.form_cache_bytes + settings.model_cache_bytes
    assert SERVICES[name]["mem_limit"] == "2g"
    assert 130e6 + large + caches + settings.max_bytes_in_flight <= 2 * 2**30


@pytest.mark.parametrize("name", OURS)
def test_its_containers_have_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {mount.partition(":")[0] for mount in service["tmpfs"]} == {"/tmp", "/data"}
