"""``ocizone check [PATH...]``: Corefiles, zone files, directories; every finding at once."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.findings import amount, and_tests, as_json, echo, show, tally
from ocizone.cli.snippet import snippets
from ocizone.corefile.load import load
from ocizone.errors import ConfigError, Problem, Severity
from ocizone.plan import make_plan
from ocizone.publish import Checked, check_zones
from ocizone.serve.interfaces import addresses_of
from ocizone.wire.name import BadNameError


@click.command(name="check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option(
    "--corefile",
    "named",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A Corefile, whatever its name.",
)
@click.option("--origin", metavar="NAME", help="The zone of a file whose name does not tell.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(
    paths: tuple[Path, ...], named: tuple[Path, ...], origin: str | None, strict: bool, output: str
) -> int:
    """Check PATHs (default: ./Corefile); needs no network and starts nothing.

    A file called Corefile, Corefile.* or *.corefile is read as one, zone-tests.yaml as tests of
    the zones beside it; everything else as zones. Exit 0 without errors, 1 with.
    """
    wanted = paths if paths or named else (Path("Corefile"),)
    problems: list[Problem] = []
    corefiles = [*named, *filter(is_corefile, wanted)]
    zone_paths = [path for path in wanted if path not in corefiles]
    for directory in filter(Path.is_dir, zone_paths):
        corefiles += sorted(path for path in directory.iterdir() if is_corefile(path))
    for path in corefiles:
        found = _corefile(path)
        problems += found
        if not found and output == "text":
            echo(f"{path}: no findings", err=False)
    try:
        zones = check_zones(zone_paths, int(time.time()), origin)
    except BadNameError as error:
        raise click.UsageError(f"--origin: {error}") from error
    problems += zones.problems
    if output == "json":
        click.echo(as_json(problems, _zones(zones), zones.tests))
    else:
        show(problems, err=False, below=snippets(zones.problems))
        for zone in zones.zones:
            if zone.serial is not None:
                text = f"{zone.file}: {zone.origin} serial {zone.serial}, {zone.records:,} records"
                echo(text, err=False)
        echo(
            f"{amount(len(zones.zones), 'zone')}{and_tests(zones.tests)}, {tally(problems)}",
            err=True,
        )
    refusing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return Exit.FAILED if any(one.severity in refusing for one in problems) else Exit.OK


def is_corefile(path: Path) -> bool:
    """Tell whether a path is to be read as a Corefile, by its name."""
    return path.name.startswith("Corefile") or path.suffix == ".corefile"


def _corefile(path: Path) -> tuple[Problem, ...]:
    try:
        corefile = load(str(path), environ=os.environ, cwd=str(Path.cwd()))
        plan = make_plan(corefile, addresses_of)
    except ConfigError as error:
        return error.problems
    return (*corefile.notices, *plan.notices)


def _zones(checked: Checked) -> list[dict[str, object]]:
    return [
        {
            "file": zone.file,
            "origin": zone.origin,
            "serial": zone.serial,
            "records": zone.records,
        }
        for zone in checked.zones
        if zone.serial is not None
    ]
