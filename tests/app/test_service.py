"""What a server says of itself: about, health, documentation, playground, settings, command line."""

from __future__ import annotations

import re

import httpx
from typer.testing import CliRunner

from app import VERSION
from app.cli.serve import cli
from app.settings import Settings
from core.activations import FUNCTIONS
from core.layers import KINDS
from core.losses import LOSSES
from tests import ROOT


def test_about_lists_everything(client: httpx.Client) -> None:
    about = client.get("/v1").json()
    assert about["name"] == "gradd"
    assert about["layers"] == list(KINDS)
    assert about["activations"] == list(FUNCTIONS)
    assert about["losses"] == list(LOSSES)
    assert about["dtypes"] == ["float64", "float32"]
    assert about["limits"]["body_bytes"] == 64 * 2**20


def test_health(client: httpx.Client) -> None:
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").json()["status"] == "ready"


def test_pages_need_nothing_from_elsewhere(client: httpx.Client) -> None:
    for path in ("/", "/docs", "/problems"):
        page = client.get(path)
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text), path
        for asset in re.findall(r'(?:src|href)="([^"#]+\.(?:js|css|png))"', page.text):
            assert client.get("/" + asset).status_code == 200, asset


def test_the_reference_shows_every_setting_with_its_default() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `(GRADD_\w+)` \| ([^|]+) \|", page, re.MULTILINE))
    for name, field in Settings.model_fields.items():
        shown = table.pop(f"GRADD_{name.upper()}").strip(" `")
        if field.default_factory is None and "Default: " not in (field.description or ""):
            assert shown == str(field.default).removesuffix(".0"), name
    assert not table


def test_the_command_line_says_its_version() -> None:
    assert CliRunner().invoke(cli, ["version"]).output.strip() == VERSION
