"""``ocizone demo``: registry, push, serve, change, and then yours to play with."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from pathlib import Path

import click

from ocizone import demo
from ocizone.cli.exit_codes import Exit


@click.command(name="demo")
@click.option("-p", "--port", type=click.IntRange(1, 65535), default=5300, show_default=True)
@click.option(
    "--zones",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Directory of zone files instead of the samples.",
)
@click.option("--once", is_flag=True, help="End after the change is served.")
def command(port: int, zones: Path | None, once: bool) -> int:
    """Show the main job on loopback: no root, no Docker, nothing left behind."""
    # Ended by a signal, it must not leave its directory and its server behind.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _: sys.exit(128 + got))
    begun = time.monotonic()
    with demo.stage(zones or demo.sample_zones(), port, click.echo) as (where, server):
        first = demo.wait_for(where, server, "www.example.org", "A", lambda _: True)
        click.echo(f"answer    {first}   ({time.monotonic() - begun:.1f} s after the start)")
        # Before the change is shown: whoever follows the demo can ask already.
        click.echo(f"\n  dig @{where.address} -p {where.port} www.example.org\n")
        name = demo.make_change(where, "pushed a moment ago")
        digest = demo.push_zones(where)
        pushed = time.monotonic()
        click.echo(f"change    hello.example.org TXT added to {name}")
        click.echo(f"push      {where.reference}@{digest}")
        answer = demo.wait_for(
            where, server, "hello.example.org", "TXT", lambda text: "pushed" in text
        )
        click.echo(f"answer    {answer}   ({time.monotonic() - pushed:.1f} s after the push)")
        if not once:
            _invite(where)
            _wait_for_interrupt()
    return Exit.OK


def _program() -> str:
    """Return how a shell in this directory starts us: the name, or the path when that is not it."""
    if shutil.which("ocizone"):
        return "ocizone"
    beside = Path(sys.executable).parent / "ocizone"
    if not beside.exists():
        return f"{sys.executable} -m ocizone"
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)


def _invite(where: demo.Stage) -> None:
    program = _program()
    click.echo(
        f"""
Try next, in another terminal:

  dig @{where.address} -p {where.port} hello.example.org TXT
  $EDITOR {where.zones}/db.example.org
  {program} push {where.reference} {where.zones}
  {program} status --state-dir {where.state}

Ctrl-C ends it and removes everything.
"""
    )


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        click.echo("stopped")
