"""The dashboard and the alert rules name metrics and labels that a scrape has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ocizone.observe.conditions import SOURCE_TYPES
from tests.fullscrape import full_scrape

ROOT = Path(__file__).resolve().parent.parent.parent
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "ocizone.json"

_METRIC = re.compile(r"\b((?:ocizone|coredns)_\w+)(?:\{([^}]*)\})?")
_GROUPED = re.compile(r"\b(?:by|on|group_left) ?\(([^)]*)\)")
_TEMPLATE = re.compile(r"\{\{ ?(?:\$labels\.)?(\w+) ?\}\}")
#: Labels Prometheus adds, and what templates show beside labels.
_ADDED = {"instance", "job", "value", "le"}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def queries() -> Iterator[tuple[str, str, str]]:
    """Yield (where, expression, legend or annotation)."""
    for rule in rules():
        yield rule["alert"], rule["expr"], " ".join(rule["annotations"].values())
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"], target["legendFormat"]
    for one in dashboard()["annotations"]["list"]:
        yield one["name"], one["expr"], one["titleFormat"]


@pytest.mark.parametrize(("where", "expression", "text"), [*queries()])
def test_metrics_and_labels_exist(where: str, expression: str, text: str):
    """A name that is wrong shows an empty panel, and an alert that never fires."""
    scrape = full_scrape()
    known: set[str] = set()
    metrics = _METRIC.findall(expression)
    assert metrics, where
    for name, matchers in metrics:
        assert name in scrape, where
        labels = scrape[name]
        for label in re.findall(r"(\w+) ?(?:=~|!~|!=|=)", matchers):
            assert label in labels | _ADDED, (where, name, label)
        known |= labels
    for group in _GROUPED.findall(expression):
        for label in filter(None, re.split(r"[, ]+", group)):
            assert label in known | _ADDED, (where, label)
    for label in _TEMPLATE.findall(text):
        assert label in known | _ADDED, (where, label)
    for kinds in re.findall(r'type=~?"([^"]+)"', expression):
        if "source_condition" in expression:
            assert set(kinds.split("|")) <= {str(kind) for kind in SOURCE_TYPES}, where


def test_every_promised_alert_is_there():
    """Stale, held, invalid, signatures, panics, lag, drops, serials across nodes."""
    names = {rule["alert"].removeprefix("Ocizone") for rule in rules()}
    assert {
        "Stale", "Held", "Invalid", "SignaturesExpire", "Panic", "LoopLag", "Drops",
        "SerialMismatch",
    } <= names  # fmt: skip
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description"}


def test_the_dashboard_can_be_imported():
    """Ids differ, panels do not overlap, and the data source is chosen at import."""
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
        assert panel.get("datasource", {}).get("uid", "${datasource}") == "${datasource}"
