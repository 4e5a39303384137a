"""The Markdown of what was measured, from the raw figures alone.

Ratios are of one round each: ocizone's figure over that of the peer in the same round; what is
shown is their median with the least and the most. Not here: the plot (plot), files (__main__).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.loadreport import load_tables
from bench.ratios import Spread, ratios

OWN = "ocizone"
#: What the project wants of queries per CPU second: workload, peer, ratio.
AIMS: tuple[tuple[str, str, float], ...] = (
    ("a", "Knot DNS", 1.0),
    ("b", "Knot DNS", 0.9),
    ("c", "Knot DNS", 0.85),
    ("d", "Knot DNS", 0.7),
    ("a", "BIND", 1.8),
    ("a", "twisted.names", 7.0),
    ("e", "BIND", 0.5),
)
#: Says less than ocizone, whatever is asked; its ratio is wanted, and is in its favour.
SAYS_LESS = "twisted.names"
DIFFER = "answers differ"
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ratio:
    """ocizone over a peer in one workload."""

    workload: str
    peer: str
    spread: Spread

    def text(self) -> str:
        """Return it as tables have it."""
        spread = self.spread
        return f"{spread.median:.2f} ({spread.least:.2f}..{spread.most:.2f})"


def all_ratios(document: Document) -> list[Ratio]:
    """Return the ratio of each workload and peer that took part with the same answers."""
    found = []
    for key, workload in document["workloads"].items():
        servers = workload["servers"]
        for name, entry in servers.items():
            if name != OWN and OWN in servers and _comparable(name, entry):
                values = ratios(_series(servers[OWN]), _series(entry))
                if values:
                    found.append(Ratio(key, name, Spread.of(values)))
    return found


def _comparable(name: str, entry: Document) -> bool:
    return name == SAYS_LESS or "same" not in entry or bool(entry["same"]["all"])


def _series(entry: Document) -> list[float | None]:
    return [one["per_cpu_second"] for one in entry["rounds"]]


def markdown(document: Document, picture: str = "") -> str:
    """Return the whole report.

    Args:
        document: the raw figures.
        picture: path of the plot, "" for none.
    """
    lines = [*_head(document), ""]
    if picture:
        lines += [f"![Ratios of queries per CPU second]({picture})", ""]
    found = all_ratios(document)
    lines += _aims(document, found)
    for key, workload in document["workloads"].items():
        lines += ["", f"### ({key}) {workload['title']}", ""]
        lines += _workload_table(key, workload, found)
    lines += load_tables(document.get("load", {}))
    return "\n".join(lines) + "\n"


def _head(document: Document) -> Iterator[str]:
    machine = document["machine"]
    yield (
        f"{document['date'][:16].replace('T', ' ')} UTC, `{document['command']}`, "
        f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, "
        f"Python {machine['python']}."
    )
    yield ""
    yield "| server | version | as configured |"
    yield "|---|---|---|"
    for name, version in document["versions"].items():
        yield f"| {name} | {version} | {document['remarks'].get(name, '')} |"


def _aims(document: Document, found: Sequence[Ratio]) -> list[str]:
    known = {(ratio.workload, ratio.peer): ratio for ratio in found}
    different = {
        (key, name)
        for key, workload in document["workloads"].items()
        for name, entry in workload["servers"].items()
        if not _comparable(name, entry)
    }
    rows = []
    for key, peer, aim in AIMS:
        if (ratio := known.get((key, peer))) is not None:
            reached = "yes" if ratio.spread.median >= aim else "no"
            rows.append(f"| ({key}) | {peer} | {ratio.text()} | {aim:g} | {reached} |")
        elif (key, peer) in different:
            rows.append(f"| ({key}) | {peer} | {DIFFER} | {aim:g} | |")
    head = [
        "| queries per server-CPU-second, ocizone / | peer | median (least..most) | aim | reached |",
        "|---|---|---|---|---|",
    ]
    return [*head, *rows] if rows else []


def _workload_table(key: str, workload: Document, found: Sequence[Ratio]) -> Iterator[str]:
    known = {ratio.peer: ratio.text() for ratio in found if ratio.workload == key}
    yield (
        "| server | q per CPU s | ocizone / it | user us | system us | q/s | core busy "
        "| p50 / p99 / p99.9 us | steady us | lost, full speed | lost, steady | answers as ocizone's |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for name, entry in workload["servers"].items():
        rounds, steady = entry["rounds"], entry["latency"]
        ratio = known.get(name, "" if _comparable(name, entry) else DIFFER)
        fast = Spread.of([one["per_cpu_second"] for one in rounds])
        yield (
            f"| {name} | {fast.median:,.0f} ({fast.least:,.0f}..{fast.most:,.0f}) "
            f"| {ratio} | {_median(rounds, 'user_us'):.2f} "
            f"| {_median(rounds, 'system_us'):.2f} | {_median(rounds, 'per_second'):,.0f} "
            f"| {_busy(rounds):.0%} | {_percentiles(steady)} | {_steady_cpu(steady)} "
            f"| {_lost(rounds)} | {_lost(steady)} "
            f"| {_sameness(entry.get('same'))} |"
        )
    for name, reason in workload["absent"].items():
        yield f"| {name} | {reason} | | | | | | | | | | |"


def _median(rounds: Sequence[Document], key: str) -> float:
    return Spread.of([one[key] for one in rounds]).median


def _busy(rounds: Sequence[Document]) -> float:
    return Spread.of(
        [(one["cpu_user_s"] + one["cpu_system_s"]) / one["seconds"] for one in rounds]
    ).median


def _percentiles(steady: Sequence[Document]) -> str:
    if not steady:
        return ""
    return " / ".join(f"{_median(steady, key):.0f}" for key in ("p50_us", "p99_us", "p999_us"))


def _steady_cpu(steady: Sequence[Document]) -> str:
    return f"{_median(steady, 'cpu_us'):.1f}" if steady else ""


def _lost(runs: Sequence[Document]) -> str:
    return f"{sum(one['lost'] for one in runs)} of {sum(one['sent'] for one in runs):,}"


def _sameness(same: Document | None) -> str:
    if same is None:
        return ""
    text = f"{same['octets']} of {same['asked']} octet for octet"
    if same["octets"] == same["asked"]:
        return text
    if same["all"]:
        return f"{text}, all record for record"
    return f"**{same['asked'] - same['records']} differ**"
