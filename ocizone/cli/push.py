"""``ocizone push REF PATH...``: check, plan, upload, sign and wait; prints ``REF@DIGEST``."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from ocizone.cli.exit_codes import Exit
from ocizone.cli.findings import amount, and_tests, echo, octets, show, tally
from ocizone.cli.registry import Access, parse_reference, registry_options
from ocizone.cli.server import (
    state_dir_option,
    the_directory,
    the_node,
    timeout_option,
    token_file_option,
)
from ocizone.control import ControlError, Where
from ocizone.fleet import Pushed, Waited, status_of, wait_for
from ocizone.gitfacts import Labels, with_git
from ocizone.observe.printable import printable
from ocizone.opening import Opener
from ocizone.publish import Checked, FileToPush, collect, compile_files
from ocizone.pushplan import Plan, plan_push
from ocizone.registry.push import created_from, push
from ocizone.registry.reference import Reference

#: Holds the password of an encrypted --sign-key; a command line is everybody's to read.
KEY_PASSWORD = "OCIZONE_KEY_PASSWORD"  # noqa: S105 - the name of the variable


@click.command(name="push")
@click.argument("reference", metavar="REF")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@click.option("-a", "--annotation", multiple=True, metavar="KEY=VALUE", help="Of the manifest.")
@click.option("--from-git", is_flag=True, help="Annotate revision, source and time of the commit.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A further tag; may be repeated.")
@click.option("--no-check", is_flag=True, help="Push what it is, checked or not; without a plan.")
@click.option("--no-plan", is_flag=True, help="Do not compare with what the tag names now.")
@click.option("--dry-run", is_flag=True, help="Check and plan; upload nothing.")
@click.option(
    "--max-deletes",
    metavar="30%",
    help="Refuse (exit 6) when a zone loses more of its records.",
)
@click.option(
    "--sign-key",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help=f"Sign with this private key (PEM); its password from {KEY_PASSWORD}.",
)
@click.option(
    "--sign-layout", type=click.Choice(["tag", "bundle"]), default="tag", show_default=True
)
@click.option("--wait", is_flag=True, help="Until every --node, or the server here, serves it.")
@click.option("--node", "nodes", multiple=True, metavar="URL", help="A server to wait for.")
@timeout_option
@token_file_option
@state_dir_option
@registry_options
def command(
    reference: str,
    paths: tuple[Path, ...],
    annotation: tuple[str, ...],
    from_git: bool,
    tags: tuple[str, ...],
    no_check: bool,
    no_plan: bool,
    dry_run: bool,
    max_deletes: str | None,
    sign_key: str | None,
    sign_layout: str,
    wait: bool,
    nodes: tuple[str, ...],
    timeout: float,
    token_file: Path | None,
    directory: str | None,
    access: Access,
) -> int:
    """Check the zone files at PATHs and push them to REF, one layer a file.

    The same files give the same digest. A time of creation is recorded only when
    SOURCE_DATE_EPOCH is set, or by --from-git.
    """
    most = _fraction(max_deletes)
    _agree(no_check=no_check, no_plan=no_plan, needs_plan=dry_run or most is not None)
    if nodes and not wait:
        raise click.UsageError("--node goes with --wait")
    waited_for = _servers(nodes, token_file, directory) if wait else []
    targets = _targets(reference, tags)
    labels = Labels(_annotations(annotation), created_from(os.environ))
    labels = with_git(labels, paths[0]) if from_git else labels
    if sign_key is not None:
        _try_key(sign_key)
    files = collect(paths)
    store = the_directory(directory)
    plan = _plan(files, targets[0], access, store, check=not no_check, compare=not no_plan)
    if plan is None:
        return Exit.FAILED
    if most is not None and _too_many(plan, most):
        return Exit.HELD
    if dry_run:
        _say("dry-run", "nothing was uploaded")
        return Exit.OK
    if sign_key is not None:
        # Signed before the tag moves: who follows it never finds it without a signature.
        digest = _push(targets[:1], files, labels, access, tagged=False)
        _sign(targets[0], digest, sign_key, sign_layout, access)
    digest = _push(targets, files, labels, access)
    _tell_pushed(targets, digest, plan, compared=not (no_check or no_plan))
    click.echo(f"{targets[0]}@{digest}")
    if not wait:
        return Exit.OK
    pushed = Pushed(_repository(targets[0]), frozenset(str(one.tag) for one in targets), digest)
    return _wait(waited_for, pushed, timeout)


# --- Arguments -------------------------------------------------------------------------------


def _targets(reference: str, tags: tuple[str, ...]) -> list[Reference]:
    """Return REF, and the same repository with each further tag."""
    target = parse_reference(reference)
    if target.digest:
        raise click.UsageError(f"{reference}: push to a tag; the digest comes out")
    further = [parse_reference(f"{_repository(target)}:{tag}") for tag in tags]
    return [target, *further]


def _repository(target: Reference) -> str:
    return f"{target.registry}/{target.repository}"


def _servers(nodes: tuple[str, ...], token_file: Path | None, directory: str | None) -> list[Where]:
    """Return the servers to wait for: those that are named, else the one here, which is asked now.

    A node that is away may come back; a server that nobody named and that is not there is a slip,
    better told before the push than a minute after it.
    """
    if nodes:
        return [the_node(url, token_file) for url in nodes]
    here = the_directory(directory)
    if error := status_of(here).error:
        raise ControlError(f"--wait: {error}; name servers elsewhere with --node")
    return [here]


def _agree(*, no_check: bool, no_plan: bool, needs_plan: bool) -> None:
    if needs_plan and (no_check or no_plan):
        wrong = "--no-check" if no_check else "--no-plan"
        raise click.UsageError(f"{wrong} makes no plan, which --dry-run and --max-deletes need")


def _fraction(text: str | None) -> float | None:
    """Return 0.3 of ``30%``."""
    if text is None:
        return None
    digits = text.removesuffix("%")
    if not (digits.isascii() and digits.isdecimal() and int(digits[:4]) <= 100):
        raise click.UsageError(f"--max-deletes {text}: write a percentage, such as 30%")
    return int(digits) / 100


def _annotations(given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise click.UsageError(f"--annotation {text}: write KEY=VALUE")
        pairs[key] = value
    return pairs


# --- Check and plan --------------------------------------------------------------------------


def _plan(
    files: list[FileToPush],
    target: Reference,
    access: Access,
    store: Path,
    *,
    check: bool,
    compare: bool,
) -> Plan | None:
    """Return what the push changes, an empty plan when nobody asked; None when it is refused."""
    if not check:
        return Plan("")
    now = int(time.time())
    with tempfile.TemporaryDirectory(prefix="ocizone-push-") as name:
        checked = compile_files(files, now, Path(name))
        _tell_checked(checked)
        if checked.refused:
            return None
        if not compare:
            return Plan("")
        # The blobs the tag names now may be in the store of a server on this machine.
        opener = Opener(Path(name), access.client, store, now)
        plan = plan_push(opener, target, Path(name, "image"))
    for line in plan.lines():
        _say("plan", line)
    return plan


def _tell_checked(checked: Checked) -> None:
    show(checked.problems, err=True)
    sizes = f"{amount(len(checked.zones), 'zone')}, {amount(checked.records, 'record')}"
    sizes += and_tests(checked.tests)
    outcome = tally(checked.problems) if checked.problems else "ok"
    _say("check", f"{sizes:<44}{outcome}")


def _too_many(plan: Plan, most: float) -> bool:
    over = plan.over(most)
    way_out = "without --max-deletes" if plan.incomparable else "with a higher --max-deletes"
    for line in over:
        _say("held", f"{line}; push it nevertheless {way_out}")
    return bool(over)


def _say(what: str, text: str) -> None:
    echo(f"{what:<8} {printable(text)}", err=True)


# --- Upload ----------------------------------------------------------------------------------


def _push(
    targets: Sequence[Reference],
    files: list[FileToPush],
    labels: Labels,
    access: Access,
    *,
    tagged: bool = True,
) -> str:
    """Push under every tag, or no tag yet; the blobs travel once. Returns the digest."""
    total = sum(file.path.stat().st_size for file in files)
    console = Console(stderr=True)
    columns = (TextColumn("upload  "), BarColumn(), DownloadColumn(binary_units=True))
    if not console.is_terminal and tagged:
        _say("upload", f"{amount(len(files), 'file')}, {octets(total)}")
    digest = ""
    # A bar in a CI log is noise (oras issue 893): only on a terminal.
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("upload", total=total * len(targets))
        for target in targets:
            with closing(access.client(target)) as client:
                digest = push(
                    client,
                    [(file.title, file.path, file.media_type) for file in files],
                    annotations=labels.annotations,
                    created=labels.created,
                    progress=lambda sent: bar.advance(task, sent),
                    tagged=tagged,
                )
    return digest


def _try_key(key: str) -> None:
    """Read the key before anything is uploaded: a wrong password is found in time."""
    from ocizone.registry.sign import read_private_key  # noqa: PLC0415 - cryptography, when needed

    read_private_key(key, _key_password())


def _key_password() -> Callable[[], str] | None:
    secret = os.environ.get(KEY_PASSWORD)
    return None if secret is None else lambda: secret


def _sign(target: Reference, digest: str, key: str, layout: str, access: Access) -> None:
    from ocizone.registry.sign import sign_artifact  # noqa: PLC0415 - cryptography, when needed

    with closing(access.client(target)) as client:
        done = sign_artifact(
            client,
            digest,
            key,
            _key_password(),
            "bundle" if layout == "bundle" else "tag",
        )
    where = f"as {done.tag}" if done.tag else f"as {done.digest}" if done.digest else "already"
    _say("signed", f"{Path(key).name}, {where}")


def _tell_pushed(targets: Sequence[Reference], digest: str, plan: Plan, *, compared: bool) -> None:
    was = f"was {plan.former}" if plan.former else "new tag"
    if plan.former == digest:
        was = "unchanged"
    _say("pushed", f"{targets[0]}@{digest}" + (f"  ({was})" if compared else ""))
    for target in targets[1:]:
        _say("pushed", f"{target}@{digest}")


# --- Wait ------------------------------------------------------------------------------------


def _wait(nodes: list[Where], pushed: Pushed, timeout: float) -> int:
    """Wait for servers; tell in how long they serve the digest, or why not; return the status."""
    waited = list(wait_for(nodes, pushed, timeout, monotonic=time.monotonic, sleep=time.sleep))
    served = [f"{_node(one)} ok {one.seconds:.1f}s" for one in waited if not one.error]
    if served:
        _say("wait", "   ".join(served))
    for one in waited:
        if one.error:
            _say("wait", f"{_node(one)} not served: {one.error}")
    return _waited_status(waited)


def _node(waited: Waited) -> str:
    return "here" if isinstance(waited.where, Path) else str(waited.where)


def _waited_status(waited: Sequence[Waited]) -> Exit:
    failed = [one for one in waited if one.error]
    if not failed:
        return Exit.OK
    if len(failed) < len(waited):
        return Exit.PARTIAL
    return Exit.HELD if all(one.held for one in failed) else Exit.FAILED
