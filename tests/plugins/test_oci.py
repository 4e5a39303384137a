"""`oci`: what Corefiles of coredns-oci hold is accepted, one row a rule of its parser."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ocizone.corefile.load import parse_text
from ocizone.corefile.types import Corefile
from ocizone.errors import ConfigError, Severity
from ocizone.plugins.artifact import Artifact, Credentials

HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ROOT = "/etc/zones"
YEAR = 365 * 86_400.0


def parse(fragment: str, root: str | None = ROOT, **environ: str) -> Corefile:
    top = f"root {root}\n" if root else ""
    return parse_text(f". {{\n{top}{fragment}\n}}\n", environ=environ, cwd="/cwd")


def artifact(fragment: str, root: str | None = ROOT, **environ: str) -> Artifact:
    found = parse(fragment, root, **environ).blocks[0].get(Artifact)
    assert found is not None
    return found


def warnings(fragment: str, root: str | None = ROOT) -> list[str]:
    return [notice.rule for notice in parse(fragment, root).notices]


def errors(fragment: str, root: str | None = ROOT, **environ: str) -> list[tuple[int, str, str]]:
    """Return (line, message, hint); the fragment begins on line 3, or 2 without root."""
    with pytest.raises(ConfigError) as caught:
        parse(fragment, root, **environ)
    return [
        (found.line, found.message, found.hint)
        for found in caught.value.problems
        if found.severity is Severity.ERROR
    ]


@dataclass(frozen=True)
class Good:
    fragment: str
    reference: str = "h.example/r:latest"
    path: str = ROOT
    interval_s: float = 3600.0
    insecure: bool = False
    credentials: Credentials | None = None
    warned: tuple[str, ...] = ()
    root: str | None = ROOT


R = "h.example/r"
GOOD = [
    # --- REPO and PATH -----------------------------------------------------------------------
    Good(f"oci {R}"),
    Good(f"oci {R}:t sub", f"{R}:t", "/etc/zones/sub"),
    Good(f"oci {R} /abs/../x", path="/x"),
    Good(f"oci {R} sub", path="/cwd/sub", root=None, warned=("path-relative",)),
    Good(f"oci {R} /abs", path="/abs", root=None),
    Good(f"oci {R}", path="/cwd/zones", root="zones"),
    Good(f"oci a b c {{\nurl {R}\n}}", warned=("arguments-ignored",)),
    Good(f"oci {{\nurl {R}\n}}"),
    Good(f"oci {{\nrepo {R}\n}}"),
    Good(f'oci "" {{\nrepo {R}\n}}'),
    Good(f"oci {R} {{ }}"),
    Good(f"oci {R} {{}}", warned=("empty-block",)),
    Good(f"oci {R} {{\n}}"),
    Good(f"oci {R} {{ path x interval 600 }}", path="/etc/zones/x", interval_s=600.0),
    Good(f"oci {R} {{\nusername u password p\n}}", credentials=Credentials("u", "p")),
    # --- Repeated keys: last wins, block beats positional -------------------------------------
    Good(f"oci other.example/x y {{\nurl {R}\npath a\npath b\n}}", path="/etc/zones/b"),
    Good(f"oci {{\nurl other.example/x\nrepo {R}\n}}"),
    Good(f"oci {{\nrepo other.example/x\nurl {R}\n}}"),
    Good(f"oci {R} {{\ninterval 10\ninterval 20\n}}", interval_s=20.0),
    # --- interval ----------------------------------------------------------------------------
    Good(f"oci {R} {{\ninterval 10s\n}}", interval_s=10.0),
    Good(f"oci {R} {{\ninterval 1h30m\n}}", interval_s=5400.0),
    Good(f"oci {R} {{\ninterval abc\n}}", warned=("bad-interval",)),
    Good(f"oci {R} {{\ninterval 0\n}}", warned=("bad-interval",)),
    Good(f"oci {R} {{\ninterval -5\n}}", warned=("bad-interval",)),
    Good(f"oci {R} {{\ninterval -5s\n}}", warned=("bad-interval",)),
    Good(f'oci {R} {{\ninterval ""\n}}', warned=("bad-interval",)),
    Good(f"oci {R} {{\ninterval +600\n}}", interval_s=600.0),
    Good(f"oci {R} {{\ninterval 007\n}}", interval_s=7.0),
    Good(f"oci {R} {{\ninterval 5\n}}", interval_s=5.0),
    Good(f"oci {R} {{\ninterval 2\n}}", interval_s=5.0, warned=("interval-raised",)),
    Good(f"oci {R} {{\ninterval 4999ms\n}}", interval_s=5.0, warned=("interval-raised",)),
    Good(f"oci {R} {{\ninterval 31536000\n}}", interval_s=YEAR),
    Good(f"oci {R} {{\ninterval 31536001\n}}", interval_s=YEAR, warned=("interval-lowered",)),
    Good(
        f"oci {R} {{\ninterval 99999999999999999999\n}}",
        interval_s=YEAR,
        warned=("interval-lowered",),
    ),
    Good(f"oci {R} {{\ninterval {'9' * 5000}\n}}", interval_s=YEAR, warned=("interval-lowered",)),
    Good(f"oci {R} {{\ninterval 9223372037\n}}", interval_s=YEAR, warned=("interval-lowered",)),
    # --- Credentials and TLS ------------------------------------------------------------------
    Good(f'oci {R} {{\nusername "" password ""\n}}'),
    Good(f"oci {R} {{\ninsecure true\n}}", insecure=True),
    Good(f"oci {R} {{\ninsecure false\n}}"),
    Good(f"oci {R} {{\ninsecure TRUE\n}}", warned=("insecure-ignored",)),
    Good(f"oci {R} {{\ninsecure yes\n}}", warned=("insecure-ignored",)),
    Good(f"oci {R} {{\ninsecure 1\n}}", warned=("insecure-ignored",)),
    Good(
        f"oci {R} {{\ninsecure true\nusername u\npassword p\n}}",
        insecure=True,
        credentials=Credentials("u", "p"),
        warned=("password-in-clear",),
    ),
    Good(
        "oci localhost:5000/d {\ninsecure true\nusername u\npassword p\n}",
        "localhost:5000/d:latest",
        insecure=True,
        credentials=Credentials("u", "p"),
    ),
    Good(
        "oci [::1]:5000/d {\ninsecure true\nusername u\npassword p\n}",
        "[::1]:5000/d:latest",
        insecure=True,
        credentials=Credentials("u", "p"),
    ),
    Good(
        f"oci {R} {{\nusername u\npassword_file secret\n}}",
        credentials=Credentials("u", password_file="/etc/zones/secret"),
    ),
    # --- References ---------------------------------------------------------------------------
    Good("oci ganawaj/demo", "ganawaj/demo:latest", warned=("odd-registry",)),
    Good("oci localhost/demo", "localhost/demo:latest"),
    Good("oci GHCR.IO/a/b", "GHCR.IO/a/b:latest"),
    Good(f"oci {R}@sha256:{HEX}", f"{R}@sha256:{HEX}"),
    Good(f"oci {R}:t@sha256:{HEX}", f"{R}@sha256:{HEX}"),
    Good("oci [::1]:5000/d", "[::1]:5000/d:latest"),
    Good("oci localhost:5000/g/d", "localhost:5000/g/d:latest"),
    # A comment in mid-token: the stream is cut there, and said so.
    Good(f"oci {R}:1#pin me", f"{R}:1", warned=("comment-in-token",)),
]


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.fragment[:60])
def test_accepted(case: Good) -> None:
    """What coredns-oci accepts is accepted, with a warning where it means something else."""
    found = artifact(case.fragment, case.root)
    assert str(found.reference) == case.reference
    assert (found.path, found.interval_s, found.insecure) == (
        case.path,
        case.interval_s,
        case.insecure,
    )
    assert found.credentials == case.credentials
    assert warnings(case.fragment, case.root) == list(case.warned)


COUNT = "Wrong argument count or unexpected line ending after"
BAD = [
    (f"oci {R}", None, 2, "no path set"),
    ("oci", ROOT, 3, "no URL set"),
    ('oci ""', ROOT, 3, "no URL set"),
    (f'oci {R} {{\nurl ""\n}}', ROOT, 4, "no URL set"),
    ("oci a b c", ROOT, 3, "no URL set"),
    (f"oci {R} {{\ninterval 10 20\n}}", ROOT, 4, f"{COUNT} '20'"),
    (f"oci {R} {{\nPath x\n}}", ROOT, 4, "unknown property 'Path'"),
    (f"oci {R} {{\nmystery x\n}}", ROOT, 4, "unknown property 'mystery'"),
    (f"oci {R} {{\npath {{\nx\n}}\n}}", ROOT, 4, f"{COUNT} 'path'"),
    (f"oci {R} {{\n{{\nx\n}}\n}}", ROOT, 4, "Unexpected token '{', expecting argument"),
    *[
        (f"oci {R} {{\n{name}\n}}", ROOT, 4, f"{COUNT} '{name}'")
        for name in [
            "path",
            "url",
            "repo",
            "interval",
            "username",
            "password",
            "insecure",
            "password_file",
            "ca_file",
        ]
    ],
    (f"oci {R} {{ path }}", ROOT, 3, f"{COUNT} 'path'"),
    (f"oci {R} {{\nusername u\n}}", ROOT, 3, "username and password are required"),
    (f"oci {R} {{\npassword p\n}}", ROOT, 3, "username and password are required"),
    (f"oci {R} {{\npassword_file p\n}}", ROOT, 3, "username and password are required"),
    (
        f"oci {R} {{\nusername u\npassword p\npassword_file p\n}}",
        ROOT,
        3,
        "password and password_file exclude one another",
    ),
    (f"oci https://{R}", ROOT, 3, "invalid reference: it has a scheme"),
    ("oci ghcr.io", ROOT, 3, "invalid reference: missing registry or repository in 'ghcr.io'"),
    (
        "oci ubuntu:22.04",
        ROOT,
        3,
        "invalid reference: missing registry or repository in 'ubuntu:22.04'",
    ),
    ("oci ghcr.io/A/b", ROOT, 3, "invalid reference: invalid repository 'A/b'"),
    (f"oci {R}:", ROOT, 3, "invalid reference: invalid tag ''"),
    (f"oci {R}@", ROOT, 3, "invalid reference: invalid digest ''"),
    (f"oci {R}:-x", ROOT, 3, "invalid reference: invalid tag '-x'"),
    (f"oci {R}:sha256@3453", ROOT, 3, "invalid reference: invalid digest '3453'"),
    ("oci u@h.example/r", ROOT, 3, "invalid reference: invalid registry"),
]


@pytest.mark.parametrize(("fragment", "root", "line", "message"), BAD, ids=lambda x: str(x)[:60])
def test_refused(fragment: str, root: str | None, line: int, message: str) -> None:
    """What coredns-oci refuses is refused, at its line, under `plugin/oci:`."""
    assert [found[:2] for found in errors(fragment, root)] == [(line, f"plugin/oci: {message}")]


def test_block_on_the_next_line() -> None:
    """The brace must be on the directive's line; the message says so."""
    ((line, message, hint),) = errors(f"oci {R}\n{{\ninterval 10\n}}")
    assert (line, message) == (4, "Unexpected '{': the block of 'oci' must open on its line")
    assert hint == "write 'oci ... {'"


@pytest.mark.parametrize(
    ("fragment", "hint"),
    [
        (f"oci https://{R}", "omit https://"),
        ("oci weird:secret://h.example/r", "omit SCHEME://"),
        ("oci ghcr.io/A/b", "repositories are lower case: a/b"),
        (f"oci {R} {{\nPath x\n}}", "did you mean 'path'?"),
        (f"oci {R} {{\nusernme x\n}}", "did you mean 'username'?"),
        (f"oci {R} {{\ninterval 10 20\n}}", "interval takes SECONDS|DURATION"),
        ("oci a b c", "write 'oci REPO [PATH]': there are more words than these"),
    ],
)
def test_hints(fragment: str, hint: str) -> None:
    """A mistake comes with what to write instead."""
    assert [found[2] for found in errors(fragment)] == [hint]


@pytest.mark.parametrize("name", ["username", "password", "password_file"])
def test_unset_variable_in_a_credential(name: str) -> None:
    """An unset variable would make the pull anonymous; it is an error, by name only."""
    other = "username u\n" if name != "username" else "password p\n"
    found = errors(f"oci {R} {{\n{other}{name} {{$NOT_SET}}\n}}")
    assert [message for _, message, _ in found] == [
        "plugin/oci: environment variable NOT_SET is not set"
    ]


SECRET = "hunter2-obviously-fake"
LEAKS = [
    f"oci {R} {{\nusername u\npassword {SECRET}\n}}",
    f"oci {R} {{\nusername u\npassword {{$SECRET}}\n}}",
    f"oci {R} {{\nusername u password x {SECRET}\n}}",
    f"oci {R} {{\nusername u {SECRET}\n}}",
    f"oci {R} {{\nusername u {{$SECRET}}\n}}",
    f'oci {R} {{\nusername u\npassword "x"{SECRET}\n}}',
    f"oci {R} {{\nusername u\npassword ab#{SECRET}\n}}",
    f'oci {R} {{\nusername u\npassword "ab {SECRET}\n}}',
    f"oci {R} {{\nusername u\npassword {SECRET} interval {{ }}\n}}",
    f"oci user:{SECRET}@{R}",
    f"oci https://user:{SECRET}@{R}",
    f"oci user:{SECRET}://{R}",
    f"oci {R}\npassword {SECRET}",
    f"oci {R} {{\ninsecure true\nusername u\npassword {SECRET}\n}}",
    f"oci {R} {{\npassword {SECRET}\n}}",
    f"oci {R} {{\nusername u\npassword {SECRET}\npassword_file f\n}}",
]


@pytest.mark.parametrize("fragment", LEAKS)
def test_secrets_never_show(fragment: str) -> None:
    """No repr, message or notice holds a password, whatever else is wrong."""
    try:
        corefile = parse(fragment, SECRET=SECRET)
    except ConfigError as error:
        said = f"{error} {error!r}"
    else:
        said = f"{corefile!r} {''.join(map(str, corefile.notices))}"
    assert SECRET not in said


def test_several_artifacts_in_one_block() -> None:
    """Each `oci` line is an artifact of its own, at its own place."""
    corefile = parse("oci h.example/a a\noci h.example/b b {\nca_file ca.pem\n}")
    found = corefile.blocks[0].all(Artifact)
    assert [(one.reference.repository, one.path, one.position.line) for one in found] == [
        ("a", "/etc/zones/a", 3),
        ("b", "/etc/zones/b", 4),
    ]
    assert [one.ca_file for one in found] == [None, "/etc/zones/ca.pem"]
