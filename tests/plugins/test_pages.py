"""Pages, examples and help say what the declarations say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ocizone.corefile.directive import Declaration
from ocizone.corefile.load import parse_text
from ocizone.errors import Problem
from ocizone.plugins.directives import DECLARATIONS, DIRECTIVES
from ocizone.plugins.docs import (
    END,
    INDEX_END,
    INDEX_START,
    START,
    main,
    page,
    refreshed,
    with_index,
)
from ocizone.plugins.help import help_text
from ocizone.plugins.others import OTHERS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    path
    for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("ocizone/plugins/*.md")]
    if path.exists()
]
FENCE = re.compile(r"^```\s*corefile\n(.*?)^```", re.MULTILINE | re.DOTALL)
ENVIRONMENT = {"REGISTRY_USER": "someone", "REGISTRY_PASSWORD": "an-obvious-fake"}
#: Every directive of CoreDNS 1.14.7's plugin.cfg, in its order, and the external `git` and `oci`;
#: `api`, `artifacts`, `catalog`, `cookies`, `memcached`, `provenance` and `webhook` are ours.
COREDNS = [
    "root",
    "metadata",
    "geoip",
    "cancel",
    "proxyproto",
    "quic",
    "grpc_server",
    "https",
    "https3",
    "timeouts",
    "multisocket",
    "reload",
    "nsid",
    "bufsize",
    "bind",
    "debug",
    "trace",
    "ready",
    "health",
    "pprof",
    "shed",
    "prometheus",
    "api",
    "webhook",
    "artifacts",
    "memcached",
    "errors",
    "log",
    "dnstap",
    "local",
    "dns64",
    "any",
    "chaos",
    "provenance",
    "loadbalance",
    "tsig",
    "cookies",
    "rewrite",
    "autopath",
    "acl",
    "cache",
    "header",
    "dnssec",
    "tls",
    "minimal",
    "template",
    "transfer",
    "catalog",
    "hosts",
    "route53",
    "azure",
    "clouddns",
    "k8s_external",
    "kubernetes",
    "file",
    "auto",
    "secondary",
    "etcd",
    "loop",
    "forward",
    "grpc",
    "erratic",
    "whoami",
    "on",
    "sign",
    "view",
    "nomad",
    "git",
    "oci",
]


def fences() -> list[tuple[str, str]]:
    return [
        (
            f"{path.relative_to(ROOT)}:{path.read_text().count(chr(10), 0, found.start()) + 1}",
            found[1],
        )
        for path in DOCUMENTS
        for found in FENCE.finditer(path.read_text(encoding="utf-8"))
    ]


def check(text: str, path: str) -> tuple[Problem, ...]:
    return parse_text(text, path, environ=ENVIRONMENT, cwd="/srv").notices


@pytest.mark.parametrize(("where", "text"), fences(), ids=lambda value: value.split("\n")[0])
def test_every_corefile_in_the_documents_loads(where: str, text: str) -> None:
    """An example a reader copies works."""
    check(text, where)


def test_the_example_corefile_has_nothing_to_say_about() -> None:
    """No error and no warning."""
    assert check((ROOT / "Corefile.example").read_text(), "Corefile.example") == ()


@pytest.mark.parametrize("declared", DECLARATIONS, ids=lambda declared: declared.name)
def test_page_is_complete_and_fresh(declared: Declaration) -> None:
    """`python -m ocizone.plugins.docs` would change nothing; sections are those of CoreDNS."""
    text = page(declared).read_text(encoding="utf-8")
    assert refreshed(text, declared) == text
    assert text.startswith(f"# {declared.name}\n\n## Name\n\n*{declared.name}* - ")
    assert re.findall("^## (.*)$", text, re.MULTILINE) == [
        "Name",
        "Description",
        "Syntax",
        "Examples",
    ]
    assert FENCE.search(text)


def test_every_page_has_a_directive() -> None:
    """No page of a directive that is gone."""
    pages = {path.stem for path in (ROOT / "ocizone/plugins").glob("*.md")}
    assert pages == {declared.name for declared in DECLARATIONS}


def test_markers_must_be_there() -> None:
    """A page whose table cannot be found is told about, not left stale."""
    for text in ("", START, END):
        with pytest.raises(ValueError, match=r"root\.md has no"):
            refreshed(text, DIRECTIVES[0])
        with pytest.raises(ValueError, match="<!-- directives -->"):
            with_index(text)


def test_rewriting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what stands between the markers changes."""
    monkeypatch.setattr("ocizone.plugins.docs.FOLDER", tmp_path)
    listing = tmp_path / "corefile.txt"
    monkeypatch.setattr("ocizone.plugins.docs.COREFILE_PAGE", listing)
    for declared in DECLARATIONS:
        (tmp_path / f"{declared.name}.md").write_text(f"before\n{START}stale\n{END}after\n")
    main()
    assert not listing.exists()  # an installed package has no docs folder
    listing.write_text(f"before\n{INDEX_START}stale\n{INDEX_END}after\n")
    main()
    assert "| [oci](../ocizone/plugins/oci.md) | follows a tag" in listing.read_text()
    assert "stale" not in listing.read_text()
    text = (tmp_path / "oci.md").read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "stale" not in text
    assert r"| `interval` | *SECONDS\|DURATION* | `3600` |" in text


@pytest.mark.parametrize("declared", DECLARATIONS, ids=lambda declared: declared.name)
def test_help_names_every_part(declared: Declaration) -> None:
    """Synopsis first, then each argument and property; no Markdown."""
    text = help_text(declared.name)
    assert text.startswith(declared.synopsis + "\n")
    parts = [one.name for one in declared.arguments] + [one.name for one in declared.properties]
    assert all(f"\n  {part}" in text for part in parts)
    assert "`" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_help_for_what_does_not_work_here() -> None:
    """The verdict, its reason, and what to use instead."""
    assert "not supported by ocizone (" in help_text("forward")
    assert "not supported by ocizone yet (" in help_text("secondary")
    assert "has no effect in ocizone (" in help_text("cache")
    assert "'oci'" in help_text("git")


def test_help_for_what_nobody_knows() -> None:
    """A near name is offered."""
    with pytest.raises(LookupError, match="did you mean 'prometheus'"):
        help_text("prometeus")
    with pytest.raises(LookupError, match=r"Unknown directive 'zzzzz'$"):
        help_text("zzzzz")


def test_every_directive_of_coredns_has_a_verdict() -> None:
    """Nothing a CoreDNS Corefile may hold is an unknown directive, and the order is CoreDNS'."""
    working = [directive.name for directive in DIRECTIVES]
    assert sorted(working + list(OTHERS)) == sorted(COREDNS)
    assert working == [name for name in COREDNS if name in working]
    assert list(OTHERS) == [name for name in COREDNS if name in OTHERS]
