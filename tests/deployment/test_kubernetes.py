"""The manifests of docs/operations/kubernetes fit the schemas of Kubernetes, each other, and the program."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from typer.testing import CliRunner

from app.cli.serve import cli
from app.settings import Settings
from tests import ROOT

FOLDER = ROOT / "docs" / "operations" / "kubernetes"
FILES = sorted(FOLDER.glob("*.yaml"))
PARTS = [part for file in FILES for part in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
PODS = [part["spec"]["template"] for part in PARTS if part["kind"] in ("Deployment", "Job")]
CONTAINERS = [container for pod in PODS for container in pod["spec"]["containers"]]


def part(kind: str, name: str) -> dict[str, Any]:
    """The manifest of this kind and name."""
    (found,) = (part for part in PARTS if (part["kind"], part["metadata"]["name"]) == (kind, name))
    return dict(found)


def name_of(part: dict[str, Any]) -> str:
    return f"{part['kind']}-{part['metadata']['name']}"


# The oldest and the newest that a department may have.
@pytest.mark.parametrize("version", ["1.28", "1.35"])
@pytest.mark.parametrize("part", PARTS, ids=name_of)
def test_every_manifest_fits_its_schema(part: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(part, version, strict=True)


def test_a_misspelt_field_does_not_fit() -> None:
    service = part("Service", "gradd")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service | {"spec": service["spec"] | {"selektor": {}}}, "1.35", strict=True)


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: pod["spec"]["containers"][0]["name"])
def test_pods_have_no_rights_and_write_nowhere_else(pod: dict[str, Any]) -> None:
    spec, (container,) = pod["spec"], pod["spec"]["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"]
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert {volume["name"] for volume in spec["volumes"]} == {mount["name"] for mount in container["volumeMounts"]}
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/tmp"}
    assert {"memory"} <= container["resources"]["limits"].keys()


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container["name"])
def test_containers_run_commands_that_there_are(container: dict[str, Any]) -> None:
    commands = [container["command"]]
    if "exec" in (probe := container.get("readinessProbe", {})):
        commands.append(probe["exec"]["command"])
    for program, name, *options in commands:
        assert program == "gradd"
        helped = CliRunner().invoke(cli, [name, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
        assert helped.exit_code == 0, helped.output
        for option in options:
            assert not option.startswith("--") or option in re.sub(r"\x1b\[[\d;]*m", "", helped.output)


def test_containers_have_the_image_of_this_version() -> None:
    version = re.search(r'(?m)^version = "(.*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert version
    assert {container["image"] for container in CONTAINERS} == {f"gradd:{version[1]}"}
    assert part("Job", f"gradd-migrate-{version[1]}")


def test_settings_are_known_and_given_to_all() -> None:
    given = part("ConfigMap", "gradd")["data"] | part("Secret", "gradd-database")["stringData"]
    known = {f"GRADD_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in given if name.startswith("GRADD_")} <= known
    fields = {name.removeprefix("GRADD_").lower(): value for name, value in given.items() if name.startswith("GRADD_")}
    Settings(**fields)
    for container in CONTAINERS:
        assert container["envFrom"] == [
            {"configMapRef": {"name": "gradd"}},
            {"secretRef": {"name": "gradd-database"}},
        ]


def test_selectors_select_the_pods_that_they_mean() -> None:
    for component in ("api", "worker"):
        deployment = part("Deployment", f"gradd-{component}")
        assert deployment["spec"]["selector"]["matchLabels"] == deployment["spec"]["template"]["metadata"]["labels"]
    api = part("Deployment", "gradd-api")["spec"]["template"]
    assert part("Service", "gradd")["spec"]["selector"] == api["metadata"]["labels"]
    assert part("NetworkPolicy", "gradd-api")["spec"]["podSelector"]["matchLabels"] == api["metadata"]["labels"]
    everything = part("NetworkPolicy", "gradd")["spec"]["podSelector"]["matchLabels"].items()
    assert all(everything <= pod["metadata"]["labels"].items() for pod in PODS)


def test_ports_are_those_of_the_server() -> None:
    (container,) = part("Deployment", "gradd-api")["spec"]["template"]["spec"]["containers"]
    (port,) = container["ports"]
    assert str(port["containerPort"]) in container["command"]
    assert part("Service", "gradd")["spec"]["ports"][0]["targetPort"] == port["name"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == port["name"]
    (rule,) = part("NetworkPolicy", "gradd-api")["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": port["containerPort"]}]
