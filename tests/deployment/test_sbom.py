"""`make sbom`: every package of the lock is in the bill of materials, with its version and all its hashes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document that `make sbom` writes."""
    file = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    # In the environment that runs the tests: this make must not install one, and takes no arguments of an outer one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "VENV"))}
    environment["PATH"] = os.pathsep.join([str(Path(sys.prefix) / "bin"), environment["PATH"]])
    command = ["make", "--old-file", ".venv/.stamp-dev", "sbom", f"SBOM={file}"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    document: dict[str, Any] = json.loads(file.read_bytes())
    return document


def locked() -> dict[str, tuple[str, set[str]]]:
    """Version and hashes of each package of requirements.lock."""
    found = {}
    joined = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    for line in joined.splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.split(" --hash", 1)[0])
            version = str(requirement.specifier).removeprefix("==")
            found[requirement.name] = version, set(re.findall(r"--hash=sha256:(\w{64})", line))
    return found


def test_every_locked_package_is_named_with_its_version_and_hashes(bill: dict[str, Any]) -> None:
    named = {
        part["name"]: (
            part["version"],
            {found["content"] for source in part["externalReferences"] for found in source["hashes"]},
        )
        for part in bill["components"]
    }
    assert named == locked()
    assert len(named) > 30
    assert all(hashes for _, hashes in named.values())


def test_it_is_the_bill_of_this_version(bill: dict[str, Any]) -> None:
    assert bill["bomFormat"] == "CycloneDX"
    described = bill["metadata"]["component"]
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert (described["name"], described["version"]) == ("gradd", version[1])
