"""Where results go: dated files, and the part of docs/performance.md between its markers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.plot import svg
from bench.report import all_ratios, markdown

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def write(document: Mapping[str, Any], folder: Path) -> Path:
    """Write raw figures, table and plot, named by date and time; return the table's path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = document["date"][:16].replace("T", "-").replace(":", "")
    (folder / f"{stem}.json").write_text(json.dumps(document, indent=1) + "\n")
    titles = {key: workload["title"] for key, workload in document["workloads"].items()}
    versions = ", ".join(f"{name} {text}" for name, text in document["versions"].items())
    found = all_ratios(document)
    picture = f"{stem}.svg" if found else ""
    if found:
        caption = f"{document['date'][:10]}; {versions}"
        (folder / picture).write_text(svg(found, titles, caption))
    table = folder / f"{stem}.md"
    table.write_text(f"# Measured {document['date'][:10]}\n\n{markdown(document, picture)}")
    return table


def publish(document: Mapping[str, Any]) -> None:
    """Write to bench/results and into docs/performance.md."""
    table = write(document, RESULTS)
    picture = f"../bench/results/{table.stem}.svg"
    DOCUMENT.write_text(inserted(DOCUMENT.read_text(), markdown(document, picture)))


def inserted(page: str, text: str) -> str:
    """Return the page with what is between the markers replaced.

    Raises:
        ValueError: it has no markers.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{text}{END}{after}"
