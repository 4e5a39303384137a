"""`oci` beyond coredns-oci: each property, the value it yields, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from ocizone import limits
from ocizone.corefile.load import parse_text
from ocizone.corefile.types import Corefile
from ocizone.errors import ConfigError, Severity
from ocizone.plugins.artifact import Artifact, Guard, Identity, Keep, Mirror, Startup, Verify

HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
MIB = 1024 * 1024


def parse(lines: str, repo: str = "h.example/r", **environ: str) -> Corefile:
    text = f". {{\nroot /z\noci {repo} {{\n{lines}\n}}\n}}\n"
    return parse_text(text, environ=environ, cwd="/cwd")


def artifact(lines: str, repo: str = "h.example/r", **environ: str) -> Artifact:
    found = parse(lines, repo, **environ).blocks[0].get(Artifact)
    assert found is not None
    return found


def refusal(lines: str, repo: str = "h.example/r", **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(lines, repo, **environ)
    (found,) = [one for one in caught.value.problems if one.severity is Severity.ERROR]
    return f"{found.line}: {found.message.removeprefix('plugin/oci: ')} [{found.hint}]"


def test_defaults():
    """Without any property: what predecessors do, and enough history for differences (IXFR)."""
    found = artifact("")
    assert (found.interval_s, found.cron, found.startup, found.jitter) == (
        3600.0,
        "",
        Startup("immediate"),
        0.0,
    )
    assert (found.attempts, found.backoff_s, found.timeout_s) == (
        limits.ATTEMPTS,
        limits.BACKOFF_S,
        limits.ATTEMPT_DEADLINE_S,
    )
    assert found.keep == Keep(limits.KEEP_DEPLOYMENTS)
    assert found.keep.deployments > limits.IXFR_VERSIONS
    assert found.max_octets == limits.ARTIFACT_OCTETS
    assert found == Artifact(
        found.reference, "/z", 3600.0, insecure=False, credentials=None, ca_file=None,
        position=found.position,
    )  # fmt: skip


GOOD: list[tuple[str, str, Any]] = [
    # --- cron ------------------------------------------------------------------------------------
    ('cron "*/5 * * * *"', "cron", "*/5 * * * *"),
    ("cron */5 * * * *", "cron", "*/5 * * * *"),
    ('cron "  0   4 * *  MON-FRI "', "cron", "0 4 * * MON-FRI"),
    ("cron @hourly", "cron", "0 * * * *"),
    ("cron @daily", "cron", "0 0 * * *"),
    ("cron @weekly", "cron", "0 0 * * 0"),
    ("cron @monthly", "cron", "0 0 1 * *"),
    ("cron 0 0 29 2 *", "cron", "0 0 29 2 *"),
    ("cron @every 10m", "interval_s", 600.0),
    ("cron @every 10m", "cron", ""),
    ('cron "@every 1h30m"', "interval_s", 5400.0),
    ("cron @hourly", "interval_s", 3600.0),
    # --- startup and jitter ----------------------------------------------------------------------
    ("startup immediate", "startup", Startup("immediate")),
    ("startup skip", "startup", Startup("skip")),
    ("startup jitter", "startup", Startup("jitter")),
    ("startup jitter 90s", "startup", Startup("jitter", 90.0)),
    ("startup jitter 0", "startup", Startup("jitter", 0.0)),
    ("jitter 10%", "jitter", 0.1),
    ("jitter 0%", "jitter", 0.0),
    ("jitter 12.5%", "jitter", 0.125),
    ("jitter 50%", "jitter", 0.5),
    # --- tags ------------------------------------------------------------------------------------
    ('semver ">=1.2 <2"', "semver", ">=1.2 <2"),
    ("semver >=1.2 <2", "semver", ">=1.2 <2"),
    ("semver ^v1.4 || 3.x", "semver", "^v1.4 || 3.x"),
    # --- switches --------------------------------------------------------------------------------
    ("suspend", "suspend", True),
    ("suspend true", "suspend", True),
    ("suspend\nsuspend false", "suspend", False),
    ("allow_rollback", "allow_rollback", True),
    ("allow_rollback false", "allow_rollback", False),
    # --- reaching the registry -------------------------------------------------------------------
    ("mirror m.example", "mirrors", (Mirror("m.example"),)),
    (
        "mirror http://10.0.0.1:5000/cache/r https://m.example/x/\nmirror [::1]:5000",
        "mirrors",
        (
            Mirror("10.0.0.1:5000", "cache/r", insecure=True),
            Mirror("m.example", "x"),
            Mirror("[::1]:5000"),
        ),
    ),
    ("docker_config auth/config.json", "docker_config", "/z/auth/config.json"),
    ('docker_config ""', "docker_config", None),
    ("client_cert tls.crt /etc/tls.key", "client_cert", ("/z/tls.crt", "/etc/tls.key")),
    ("proxy http://u:fake@proxy.example:3128", "proxy", "http://u:fake@proxy.example:3128"),
    ("proxy http://[::1]:3128/", "proxy", "http://[::1]:3128/"),
    ("timeout 5s", "timeout_s", 5.0),
    ("retries 0", "attempts", 1),
    ("retries 4", "backoff_s", limits.BACKOFF_S),
    ("retries 4 10s", "attempts", 5),
    ("retries 4 10s", "backoff_s", 10.0),
    ("retries 4 0", "backoff_s", 0.0),
    # --- trust -----------------------------------------------------------------------------------
    (
        "allowed_types application/vnd.ocizone.zone.v1 text/x+y",
        "allowed_types",
        ("application/vnd.ocizone.zone.v1", "text/x+y"),
    ),
    ("verify {\nkey cosign.pub /k/b.pem\nkey cosign.pub\n}", "verify",
     Verify(("/z/cosign.pub", "/k/b.pem"))),
    ("verify { key a.pub }", "verify", Verify(("/z/a.pub",))),
    (
        "verify {\nidentity https://issuer.example me@example.org\n}",
        "verify",
        Verify(identities=(Identity("https://issuer.example", "me@example.org"),)),
    ),
    ("verify { policy require key a }", "verify", Verify(("/z/a",))),
    ("guard", "guard", Guard(0.3, ns=True, zones=True)),
    ("guard { }", "guard", Guard(0.3, ns=True, zones=True)),
    ("guard {\ndeletes 10%\nns\n}", "guard", Guard(0.1, ns=True)),
    ("guard { zones }", "guard", Guard(zones=True)),
    ("keep 10", "keep", Keep(10)),
    ("keep 10 24h", "keep", Keep(10, 86_400.0)),
    ("keep 10 90d", "keep", Keep(10, 90 * 86_400.0)),
    ("max_size 256MiB", "max_octets", 256 * MIB),
    ("max_size 1000", "max_octets", 1000),
    ("max_size 2kB", "max_octets", 2000),
    ("max_size 1GiB", "max_octets", 1024 * MIB),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "field", "value"), GOOD)
def test_values(lines: str, field: str, value: object):
    """What a property yields; files start from root, and no warning is given."""
    assert getattr(artifact(lines), field) == value
    assert parse(lines).notices == ()


BAD = [
    ("cron", "4: Wrong argument count or unexpected line ending after 'cron' [write 'cron EXPR']"),
    ("cron * * * *", "4: invalid cron expression '* * * *': five fields are needed, here are 4 ["),
    ("cron 0 * * * * *", "4: invalid cron expression '0 * * * * *': five fields are needed"),
    ("cron 60 * * * *", "4: invalid cron expression '60 * * * *': bad minute ["),
    ("cron 0 0 30 2 *", "4: invalid cron expression '0 0 30 2 *': bad day-of-month ["),
    (
        'cron "0 0 */20 * MON#5"',
        "4: invalid cron expression '0 0 */20 * MON#5': such a day never comes [",
    ),
    ("cron @yearly", "4: invalid cron expression '@yearly': no such name ["),
    ("cron @every", "4: invalid cron expression '@every': @every needs a duration such as 10m ["),
    ("cron @every -1s", "4: invalid cron expression '@every -1s': @every needs a duration"),
    ("cron @hourly\ninterval 60", "5: interval and cron exclude one another ["),
    ("interval 60\ncron @every 5m", "4: interval and cron exclude one another ["),
    ("startup later", "4: startup 'later' is none of immediate, jitter and skip ["),
    ("startup skip 5s", "4: startup skip takes no argument ["),
    ("startup jitter 5", '4: time: missing unit in duration "5" ['),
    ("jitter 51%", "4: jitter 51% is more than 50% ["),
    ("jitter 10", "4: '10' is not a percentage [write it as 10%]"),
    ("jitter 101%", "4: '101%' is not a percentage ["),
    ("semver newest", "4: semver 'newest' is not a range of versions such as >=1.2 <2 ["),
    ('semver ""', "4: semver '' is not a range of versions"),
    ("suspend yes", "4: suspend 'yes' is neither true nor false [write 'suspend' alone"),
    ("mirror ftp://h.example", "4: mirror: the scheme is neither http nor https ["),
    ("mirror u:p@h.example", "4: mirror: credentials stand elsewhere [in docker_config]"),
    ("mirror h.example/r:tag", "4: mirror: a mirror has no tag and no digest ["),
    (f"mirror h.example/r@sha256:{HEX}", "4: mirror: a mirror has no tag and no digest ["),
    ("mirror h.example/R", "4: mirror: invalid repository 'R' [repositories are lower case: r]"),
    ("mirror h.example:99999", "4: mirror: invalid registry 'h.example:99999' [write HOST"),
    ("mirror http://", "4: mirror: missing registry or repository in '/any' ["),
    ("client_cert tls.crt", "4: Wrong argument count or unexpected line ending after"),
    ('client_cert tls.crt ""', "4: client_cert needs a certificate and its key ["),
    ("proxy https://h:3128", "4: proxy is not a URL of an HTTP proxy [write http://"),
    ("proxy socks5://h", "4: proxy is not a URL of an HTTP proxy [write http://"),
    ("proxy h.example:3128", "4: proxy is not a URL of an HTTP proxy ["),
    ("proxy http://h.example:port", "4: proxy is not a URL of an HTTP proxy ["),
    ("proxy http://h.example/path", "4: proxy is not a URL of an HTTP proxy ["),
    ("proxy http://[half", "4: proxy is not a URL of an HTTP proxy ["),
    ("proxy {$NO_SUCH}", "4: environment variable NO_SUCH is not set ["),
    ("timeout 500ms", "4: timeout 500ms is not between 1s and 1h ["),
    ("timeout 61m", "4: timeout 61m is not between 1s and 1h ["),
    ("retries 100", "4: '100' is not a number from 0 to 99 ["),
    ("retries 3 2h", "4: retries: a wait of 2h is more than an hour ["),
    ("allowed_types zone", "4: 'zone' is not a media type ["),
    ("verify", "4: verify names no key and no identity: nothing could be verified ["),
    ("verify {\npolicy require\n}", "4: verify names no key and no identity"),
    ("verify {\nkey a\npolicy maybe\n}", "6: policy 'maybe' is neither require nor warn ["),
    ('verify {\nkey ""\n}', "5: the name of a key file is empty ["),
    ("verify {\nidentity me x\n}", "5: the issuer 'me' is not an https:// URL ["),
    ('verify {\nidentity https://i ""\n}', "5: the subject is empty: anybody could sign ["),
    ("verify {\nkye a\n}", "5: unknown property 'kye' [known: key, identity, policy]"),
    ("guard {\ndeletes 200%\n}", "5: '200%' is not a percentage ["),
    ("guard 30%", "4: Wrong argument count or unexpected line ending after '30%' ["),
    ("keep 0", "4: '0' is not a number from 1 to 1000 ["),
    ("keep 10 0s", "4: keep: an age of nothing keeps nothing ["),
    ("max_size 0", "4: max_size 0 is not between 1 and 1024MiB"),
    ("max_size 2GiB", "4: max_size 2GiB is not between 1 and 1024MiB"),
    ("max_size 5MI", "4: '5MI' is not a size [write it as 256MiB]"),
]


@pytest.mark.parametrize(("lines", "said"), BAD)
def test_refused(lines: str, said: str):
    """At its line, with what to write instead."""
    assert refusal(lines).startswith(said)


@pytest.mark.parametrize(
    ("repo", "what"),
    [
        ("h.example/r:1", "tag"),
        ("h.example/r:latest", "tag"),
        (f"h.example/r@sha256:{HEX}", "digest"),
        (f"h.example/r:1@sha256:{HEX}", "digest"),
    ],
)
def test_a_range_picks_the_tag_alone(repo: str, what: str):
    """A tag in REPO beside a range is a contradiction, not a default; a port is no tag."""
    assert refusal("semver ^1", repo).startswith(f"4: semver and a {what} in REPO exclude")
    assert artifact("semver ^1", "h.example:5000/r").semver == "^1"
    assert artifact("repo h.example/other\nsemver ^1", repo).semver == "^1"


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ("cron @every 1s", "interval-raised"),
        ("cron @every 9000h", "interval-lowered"),
        ("guard { deletes 0% }", "guard-odd"),
        ("guard { deletes 100% }", "guard-odd"),
        ("keep 2", "keep-few"),
        ("verify {\nkey a\npolicy warn\n}", "verify-warns"),
    ],
)
def test_warnings(lines: str, rule: str):
    """What is accepted and may not be meant is told."""
    assert [notice.rule for notice in parse(lines).notices] == [rule]


def test_nothing_is_read():
    """Parsing never acts (key files may come later): files are named, not opened."""

    def read(path: str) -> str:
        raise AssertionError(path)

    lines = "docker_config a\nclient_cert b c\nverify { key d }\nca_file e"
    text = f". {{\nroot /z\noci h.example/r {{\n{lines}\n}}\n}}\n"
    assert parse_text(text, read=read, environ={}, cwd="/cwd").blocks


def test_a_proxy_never_shows():
    """Its password is a secret in every repr and message."""
    for lines in (
        "proxy http://u:hunter2@p.example",
        "proxy http://p hunter2",
        "proxy hunter2://x y",
        "proxy {$P}",
    ):
        try:
            said = repr(parse(lines, P="ftp://hunter2@p"))
        except ConfigError as error:
            said = f"{error} {error!r}"
        assert "hunter2" not in said
