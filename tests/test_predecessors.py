"""docs/predecessors.md: what it names exists, and every row has its proof."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import click

from ocizone.cli.main import COMMANDS, group
from ocizone.plugins.directives import DECLARATIONS, DIRECTIVES
from tests.fullscrape import full_scrape

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "predecessors.md").read_text()
SPANS = sorted(set(re.findall(r"`([^`\n]+)`", TEXT)))
#: The first cell of each table's heading.
HEADINGS = {"written", "there", "nr", "its bug", "behaviour"}
#: No cell holds a bar.
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("|") and not line.startswith("|---")
]


def spans(pattern: str) -> list[str]:
    """Return the code spans that a pattern matches whole; there are some."""
    found = [span for span in SPANS if re.fullmatch(pattern, span)]
    assert found, pattern
    return found


def tables(heading: str) -> list[list[list[str]]]:
    """Return the rows of each table whose heading begins so."""
    found: list[list[list[str]]] = []
    taken = False
    for row in ROWS:
        if row[0] in HEADINGS:
            taken = row[0] == heading
            if taken:
                found.append([])
        elif taken:
            found[-1].append(row)
    return found


@cache
def functions_of(path: str) -> frozenset[str]:
    """Return the names of a file's functions, as pytest collects them."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_test_exists():
    """Its file, and the function in it."""
    for named in spans(r"tests/.*::.*"):
        path, _, name = named.partition("::")
        assert name.startswith("test_"), named
        assert name in functions_of(path), named


def test_every_row_has_a_test():
    """A feature or a bug without one is a promise."""
    counted = 0
    for heading in HEADINGS - {"written"}:
        for row in (row for table in tables(heading) for row in table):
            assert row[-1] == ", ".join(re.findall(r"`tests/[^`]+`", row[-1])) != "", row
            counted += 1
    assert counted > 130


def test_every_feature_has_a_verdict():
    """One table a system; the bugs of the first are counted, as tests and comments name them."""
    assert len(tables("there")) == 5
    for table in tables("there"):
        assert {row[1] for row in table} <= {"CORE", "USEFUL", "OPT"}
    (bugs,) = tables("nr")
    assert [int(row[0]) for row in bugs] == list(range(1, 22))


def test_every_command_exists():
    """And the options shown with it."""
    for named in spans(r"ocizone [a-z].*"):
        _, command, *options = named.split()
        assert command in COMMANDS, named
        found = group.get_command(click.Context(group), command)
        assert found is not None
        assert set(options) <= {name for option in found.params for name in option.opts}, named


def test_every_directive_exists():
    """With the property, the property within, or the argument."""
    declared: set[str] = set()
    for one in DECLARATIONS:
        declared |= {f"{one.name}/{argument.name}" for argument in one.arguments}
    for directive in DIRECTIVES:
        declared.add(f"{directive.name}/")
        for outer in directive.properties:
            declared.add(f"{directive.name}/{outer.name}")
            declared |= {f"{directive.name}/{outer.name}/{one.name}" for one in outer.properties}
    assert set(spans(r"[a-z]+/(?!.*\.py\b)\S*")) <= declared


def test_every_module_exists():
    """By its path; and a class where the last section says that it is."""
    for named in spans(r"(?:ocizone|bench)/\S+\.py"):
        assert (ROOT / named).is_file(), named
    classes = re.findall(r"`(\w+)`\s+in\s+`(ocizone/\S+\.py)`", TEXT)
    assert len(classes) > 8
    for name, path in classes:
        tree = ast.parse((ROOT / path).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}, path


def test_every_request_exists():
    """In the table of the api directive's page."""
    page = (ROOT / "ocizone" / "plugins" / "api.md").read_text()
    for named in spans(r"(?:GET|POST) /v1/.*"):
        assert re.search(rf"`{re.escape(named)}[`?]", page), named


def test_every_metric_exists():
    """Histograms by their name without the suffix."""
    scraped = {name.removesuffix("_bucket") for name in full_scrape()}
    assert set(spans(r"ocizone_[a-z_]+")) <= scraped
