"""The alerts, the dashboard and the page about observing name metrics that a running service shows, in valid queries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.examples import XOR
from tests import ROOT
from tests.app.cli.test_processes import running, wait_until

pytestmark = pytest.mark.slow

FOLDER = ROOT / "docs" / "operations"
PROMETHEUS_OWN = {"up"}
"""Names of metrics that Prometheus itself makes."""

LABELS = {"http_route", "http_request_method", "http_response_status_code"}


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in rules["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    dashboard: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = dashboard["panels"]
    return found


def queries() -> list[str]:
    """All queries, with an interval in the place of Grafana's variable."""
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [text.replace("$__rate_interval", "5m") for text in (*shown, *(rule["expr"] for rule in alerts()))]


def selectors(node: Any) -> Iterator[Any]:
    """The selectors of a query."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vector_selector"):
        if (below := getattr(node, name, None)) is not None:
            yield from selectors(below)
    for below in getattr(node, "args", None) or ():
        yield from selectors(below)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The names of the samples that a service with a worker shows, each with its labels."""
    folder: Path = tmp_path_factory.mktemp("serve")
    with running(folder) as service, httpx.Client(base_url=service.address, timeout=60) as client:
        assert client.post("/v1/gradients", json=XOR).status_code == 200

        def samples() -> dict[str, set[str]]:
            families = list(text_string_to_metric_families(client.get("/metrics").text))
            found = {family.name + "_total" * (family.type == "counter"): set[str]() for family in families}
            for sample in (sample for family in families for sample in family.samples):
                found.setdefault(sample.name, set()).update(sample.labels)
            return found

        wait_until(lambda: "gradd_worker_lease_renewals_total" in samples())
        return samples()


def test_queries_are_valid_and_name_what_there_is(shown: dict[str, set[str]]) -> None:
    assert len(queries()) > 20
    for query in queries():
        found = list(selectors(promql_parser.parse(query)))
        assert found, query
        for selector in found:
            assert selector.name in shown.keys() | PROMETHEUS_OWN, query
            matched = {each.name for each in selector.matchers.matchers}
            assert selector.name in PROMETHEUS_OWN or not shown[selector.name] or matched <= shown[selector.name], query


def test_an_invalid_query_would_be_found() -> None:
    for query in ("sum(rate(x[5m])", "rate(x)", "sum by le (x)"):
        with pytest.raises(ValueError):
            promql_parser.parse(query)


def test_alerts_say_what_is_wrong() -> None:
    assert len({rule["alert"] for rule in alerts()}) == len(alerts()) > 5
    for rule in alerts():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith(".")


def test_panels_do_not_overlap() -> None:
    boxes = [tuple(panel["gridPos"][side] for side in "xywh") for panel in panels()]
    assert len({(x, y) for x, y, _, _ in boxes}) == len(boxes)
    assert all(x % w == 0 and y % h == 0 and x + w <= 24 for x, y, w, h in boxes)


def test_the_page_has_every_metric_and_no_other(shown: dict[str, set[str]]) -> None:
    page = (FOLDER / "observing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:gradd|http)_[a-z_]+[a-z])`", page)) - {
        "http_route",
        "http_request_method",
        "http_response_status_code",
    }
    bases = {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown if not name.endswith("_created")}
    assert named == {name for name in bases if name.startswith(("gradd_", "http_"))}
