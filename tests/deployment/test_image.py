"""The Dockerfile, as far as it can be tested without Docker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
BUILDER, FINAL = re.split(r"(?m)^FROM .*$", TEXT)[1:]

LOADED = """
import sys
import app.main, app.worker.worker, app.cli, app.models.transfers, numpy, sqlalchemy.dialects.postgresql, alembic.command
for module in list(sys.modules.values()):
    print(getattr(module, "__file__", None) or "")
"""


def test_nothing_that_the_service_loads_is_left_out() -> None:
    endings = set(re.findall(r"-name '\*(\.\w+)'", BUILDER)) - {".so"}
    assert endings >= {".a", ".pyi"}
    printed = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    files = [Path(line) for line in printed.splitlines() if "site-packages" in line]
    assert len(files) > 500
    assert not [file for file in files if "tests" in file.parts or file.suffix in endings]


def test_the_final_image_has_no_root_and_no_tools() -> None:
    assert re.search(r"(?m)^USER 10001:10001$", FINAL)
    assert not re.search(r"apt-get|pip install", FINAL)
    assert FINAL.index("pip uninstall") < FINAL.index("\nUSER ")


@pytest.mark.parametrize("label", ["title", "description", "licenses", "version"])
def test_it_is_labelled(label: str) -> None:
    assert f"org.opencontainers.image.{label}=" in FINAL


def test_labels_agree_with_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    for label, field in (("description", "description"), ("licenses", "license"), ("title", "name")):
        said = re.search(rf'image\.{label}="(.*)"', FINAL)
        meant = re.search(rf'(?m)^{field} = "(.*)"', project)
        assert said and meant
        assert said[1] == meant[1]


def test_every_package_is_installed_by_its_hash() -> None:
    for command in re.findall(r"pip [^\n]*install [^\n]*", BUILDER):
        assert "--require-hashes" in command or "--no-deps --no-index /wheels" in command, command
