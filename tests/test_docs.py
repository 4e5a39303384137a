"""Documentation is checked against the code; what it names exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from ocizone.cli.exit_codes import Exit
from ocizone.cli.main import COMMANDS, group
from ocizone.plugins.docs import COREFILE_PAGE, with_index
from ocizone.quick import IS_THERE

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("ocizone/plugins/*.md"),
]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_list_of_directives_is_fresh():
    """`make docs` would change nothing."""
    text = COREFILE_PAGE.read_text()
    assert with_index(text) == text


def test_every_command_is_documented():
    """docs/cli.md has a row for each command, and no other."""
    text = (ROOT / "docs" / "cli.md").read_text()
    assert set(re.findall(r"^\| `ocizone (\w+)", text, re.MULTILINE)) == set(COMMANDS)


def test_every_exit_status_is_documented():
    """docs/cli.md has a row for each status, and no other."""
    text = (ROOT / "docs" / "cli.md").read_text()
    assert {int(found) for found in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == set(Exit)


def test_every_option_that_pages_show_exists():
    """An option shown for a command is an option of it."""
    shown = re.findall(r"`ocizone (\w+)([^`\n]*)`", "\n".join(page.read_text() for page in PAGES))
    assert shown
    for command, rest in shown:
        if command not in COMMANDS:
            continue
        found = group.get_command(click.Context(group), command)
        assert found is not None
        known = {"--help", "-h", *(name for option in found.params for name in option.opts)}
        for option in re.findall(r"(?<![\w-])--?[a-z][\w-]*", rest):
            assert option in known, f"{command} has no {option}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path):
    """A relative link names a file of the tree."""
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_paths_of_the_architecture_exist():
    """What the page names in backquotes as a module or package is there."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    for found in re.findall(r"`([a-z_/]+(?:/|\.py))`", text):
        if "fastpath/" in found and not IS_THERE:
            continue
        assert (ROOT / found).exists() or (ROOT / "ocizone" / found).exists(), found


def test_the_readme_names_what_make_has():
    """The README's make targets exist."""
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert (
        set(re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE)) <= targets
    )


# --- deploy/ ---------------------------------------------------------------------------------


def words(command: str | list[str]) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else command


def check_ocizone_command(arguments: list[str]) -> None:
    """The command parses: it exists, and so do its options."""
    command = group.get_command(click.Context(group), arguments[0])
    assert command is not None, arguments
    parser = command.make_parser(click.Context(command))
    parser.parse_args(args=arguments[1:])


def test_the_unit_calls_commands_that_exist():
    """deploy/ocizone.service: every Exec line, and the socket it notifies."""
    unit = (ROOT / "deploy" / "ocizone.service").read_text()
    commands = re.findall(r"^Exec\w+=/opt/ocizone/bin/ocizone (.*)$", unit, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        check_ocizone_command(words(command))
    assert "Type=notify" in unit
    for line in unit.splitlines():
        assert re.fullmatch(r"|#.*|\[\w+\]|[A-Z]\w+=\S.*", line), line


def test_the_image_copies_what_exists_and_calls_what_exists():
    """deploy/Dockerfile: sources of COPY, ENTRYPOINT, CMD and HEALTHCHECK; a numeric user."""
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    for sources in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
    (entry,) = re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)
    assert yaml.safe_load(entry) == ["ocizone"]
    (command,) = re.findall(r"^CMD (.*)$", text, re.MULTILINE)
    check_ocizone_command(yaml.safe_load(command))
    (health,) = re.findall(r"^HEALTHCHECK .*CMD (.*)$", text, re.MULTILINE)
    check_ocizone_command(yaml.safe_load(health)[1:])
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)


def test_the_lab_mounts_what_exists_and_calls_what_exists():
    """deploy/lab/compose.yaml: files it mounts, the build context, the push it runs."""
    here = ROOT / "deploy" / "lab"
    services = yaml.safe_load((here / "compose.yaml").read_text())["services"]
    assert {"registry", "ns1", "ns2", "push", "client"} == set(services)
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (here / source).exists(), source
        context = service.get("build", {}).get("context")
        if context:
            assert (here / context / service["build"]["dockerfile"]).exists()
    check_ocizone_command(services["push"]["command"])
    for port in services["ns1"]["ports"] + services["ns2"]["ports"]:
        assert port.startswith("127.0.0.1:")


def test_every_rule_of_signed_zones_is_documented():
    """docs/dnssec.md names each rule that checks of signed zones know, and no other."""
    source = "".join(
        (ROOT / "ocizone" / path).read_text()
        for path in (
            *("zone/chain.py", "zone/nsec3chain.py", "zone/dnssec.py", "zone/signatures.py"),
            *("zone/check.py", "zone/content.py", "follow/succession.py"),
        )
    )
    rule = (
        r"(?:several-|no-)?(?:rrsig|nsec3?|nsec3param|dnskey|cds|signatures|denial)(?:-[a-z0-9-]+)?"
    )
    known = set(re.findall(rf'"({rule})"', source))
    shown = set(re.findall(rf"`({rule})`", (ROOT / "docs" / "dnssec.md").read_text()))
    assert shown == known - {"nsec", "nsec3"}
