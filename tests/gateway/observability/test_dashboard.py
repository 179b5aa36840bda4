"""The Grafana dashboard asks for nothing that nobody gives."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.observability.metrics import Metrics
from triton_launch.server import Server

FOLDER = Path(__file__).parents[3] / "triton" / "grafana"
#: Triton gives these only on a machine with a GPU.
#: https://github.com/triton-inference-server/server/blob/main/docs/user_guide/metrics.md
ONLY_SOMEWHERE = {"nv_gpu_utilization", "nv_gpu_memory_used_bytes", "nv_gpu_memory_total_bytes"}
METRIC = re.compile(r"\b((?:antlitz|nv|process|python)_\w+)")


def dashboard() -> Any:
    return json.loads((FOLDER / "antlitz.json").read_text("utf-8"))


def asked() -> set[str]:
    expressions = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]
    queries = [each["query"] for each in dashboard()["templating"]["list"]]
    return {name for text in (*expressions, *queries) for name in METRIC.findall(text)}


def given(text: str) -> dict[str, set[str]]:
    """The labels of every sample's name."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def used() -> Metrics:
    """Where everything has happened once: a counter with labels is not there before."""
    metrics = Metrics()
    metrics.timing({"first_audio": 1.0})
    metrics.triton("x", 1.0)
    metrics.triton_error("x", "timeout")
    metrics.session_closed(1.0, failure="timeout")
    metrics.refused(401)
    metrics.answered("GET", 200)
    return metrics


def test_the_gateway_gives_what_is_asked_of_it() -> None:
    ours = given(used().text().decode())
    wanted = {name for name in asked() if not name.startswith("nv_")}
    assert len(wanted) > 15 and wanted <= set(ours)


def test_every_figure_of_ours_is_shown() -> None:
    shown = {re.sub("_(bucket|count|sum)$", "", name) for name in asked()}
    ours = {re.sub("_(bucket|count|sum|created)$", "", name) for name in given(used().text().decode())}
    assert {name for name in ours if name.startswith("antlitz_") and f"{name}_total" not in ours} <= shown


def test_labels_that_are_asked_for_exist() -> None:
    ours = given(used().text().decode())
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            names = [name for name in METRIC.findall(target["expr"]) if name in ours]
            labels = {label for group in re.findall(r"by \(([\w, ]+)\)", target["expr"]) for label in group.split(", ")}
            for name in names:
                assert labels - {"instance", "job"} <= ours[name], (panel["title"], name)


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
    idents = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(idents)) == len(idents)


@pytest.mark.server
def test_triton_gives_what_is_asked_of_it(triton: Server) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{triton.ports.metrics}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    there = set(re.findall(r"^(nv_\w+)[{ ]", text, re.MULTILINE))  # the parser above would call counters …_total
    wanted = {name for name in asked() if name.startswith("nv_")}
    assert wanted - ONLY_SOMEWHERE <= there
    if "nv_gpu_utilization" in there:
        assert wanted <= there
