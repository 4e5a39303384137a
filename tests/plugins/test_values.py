"""Each directive: the values it yields, and what it refuses."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from ocizone.corefile.load import parse_text
from ocizone.corefile.types import Corefile, Position, ServerBlock
from ocizone.errors import ConfigError, Severity
from ocizone.plugins.acl import Acl, AclRule
from ocizone.plugins.any import AnyHinfo
from ocizone.plugins.artifact import Artifact
from ocizone.plugins.auto import AutoZones
from ocizone.plugins.bind import Bind
from ocizone.plugins.bufsize import BufferSize
from ocizone.plugins.chaos import Chaos
from ocizone.plugins.debug import Debug
from ocizone.plugins.errors import Consolidate, Errors
from ocizone.plugins.file import ZoneFile
from ocizone.plugins.health import Health
from ocizone.plugins.loadbalance import LoadBalance
from ocizone.plugins.log import COMBINED, COMMON, LogRule
from ocizone.plugins.minimal import Minimal
from ocizone.plugins.multisocket import MultiSocket
from ocizone.plugins.nsid import Nsid
from ocizone.plugins.prometheus import Prometheus
from ocizone.plugins.ready import Ready
from ocizone.plugins.reload import Reload
from ocizone.plugins.root import Root
from ocizone.plugins.whoami import Whoami

ORG = b"\x03org\x00"
NET = b"\x03net\x00"
AT = Position("Corefile", 2)


def parse(fragment: str) -> Corefile:
    return parse_text(f"org {{\n{fragment}\n}}\n", environ={}, cwd="/srv")


def block(fragment: str) -> ServerBlock:
    return parse(fragment).blocks[0]


COUNT = "Wrong argument count or unexpected line ending after"
CASES: list[tuple[str, tuple[object, ...]]] = [
    ("root /zones", (Root("/zones"),)),
    ("root zones/../z", (Root("/srv/z"),)),
    ("any", (AnyHinfo(),)),
    ("any { }", (AnyHinfo(),)),
    ("debug", (Debug(),)),
    ("minimal", (Minimal(),)),
    ("whoami", (Whoami(),)),
    ("bufsize", (BufferSize(1232),)),
    ("bufsize 512", (BufferSize(512),)),
    ("bufsize 4096", (BufferSize(4096),)),
    ("nsid", (Nsid(None),)),
    ('nsid "" ', (Nsid(b""),)),
    ("nsid ns1 \u00e9", (Nsid("ns1 \u00e9".encode()),)),
    ("chaos", (Chaos("", ()),)),
    ('chaos v1 "A B" C', (Chaos("v1", ("A B", "C")),)),
    ("loadbalance", (LoadBalance(),)),
    ("loadbalance round_robin", (LoadBalance(),)),
    ("reload", (Reload(30.0, 15.0),)),
    ("reload 10s", (Reload(10.0, 5.0),)),
    ("reload 2s 0s", (Reload(2.0, 0.0),)),
    ("reload 10s 1s", (Reload(10.0, 1.0),)),
    ("reload 10s 9s", (Reload(10.0, 5.0),)),
    ("health", (Health("", 8080, 0.0),)),
    ("health localhost:91 {\nlameduck 5s\n}", (Health("127.0.0.1", 91, 5.0),)),
    ("ready", (Ready("", 8181, "until-ready"),)),
    ("ready [::1]:82 {\nmonitor continuously\n}", (Ready("::1", 82, "continuously"),)),
    ("ready {\nmonitor until-ready\n}", (Ready("", 8181, "until-ready"),)),
    ("prometheus", (Prometheus("127.0.0.1", 9153),)),
    ("prometheus :9253", (Prometheus("", 9253),)),
    ("bind 127.0.0.1 eth0", (Bind(("127.0.0.1", "eth0"), ()),)),
    (
        "bind eth0 0:0::1 {\nexcept 192.0.2.1\nexcept fe80::1%eth0\n}\nbind lo",
        (Bind(("eth0", "::1"), ("192.0.2.1", "fe80::1%eth0")), Bind(("lo",), ())),
    ),
    ("errors", (Errors(stacktrace=False, consolidate=()),)),
    ("errors stdout {\nstacktrace\n}", (Errors(stacktrace=True, consolidate=()),)),
    (
        (
            "errors {\nconsolidate 5m a$\nconsolidate 1s b warning\nconsolidate 1s c show_first\n"
            "consolidate 1s d debug show_first\n}"
        ),
        (
            Errors(
                stacktrace=False,
                consolidate=(
                    Consolidate(300.0, r"a\Z", "error", show_first=False),
                    Consolidate(1.0, "b", "warning", show_first=False),
                    Consolidate(1.0, "c", "error", show_first=True),
                    Consolidate(1.0, "d", "debug", show_first=True),
                ),
            ),
        ),
    ),
    ("log", (LogRule((b"\x00",), COMMON, frozenset({"all"})),)),
    ("log Org net", (LogRule((ORG, NET), COMMON, frozenset({"all"})),)),
    ("log . {combined}", (LogRule((b"\x00",), COMBINED, frozenset({"all"})),)),
    ('log org net "x {name}"', (LogRule((ORG, NET), "x {name}", frozenset({"all"})),)),
    (
        "log {\nclass error denial\nclass success\n}\nlog org",
        (
            LogRule((b"\x00",), COMMON, frozenset({"error", "denial", "success"})),
            LogRule((ORG,), COMMON, frozenset({"all"})),
        ),
    ),
    ("log { class error }", (LogRule((b"\x00",), COMMON, frozenset({"error"})),)),
    ("file db.org", (ZoneFile("/srv/db.org", (ORG,), 60.0, AT),)),
    ("file /db net org {\nreload 0\n}", (ZoneFile("/db", (NET, ORG), 0.0, AT),)),
    ("file /db 10.0.0.0/8", (ZoneFile("/db", (b"\x0210\x07in-addr\x04arpa\x00",), 60.0, AT),)),
    (
        "auto {\ndirectory zones\n}",
        (AutoZones("/srv/zones", r"db\.(.*)", "{1}", (ORG,), 60.0, AT),),
    ),
    (
        "auto net {\ndirectory /z (?<o>.*)[.]zone$ {o}\nreload 5s\n}",
        (AutoZones("/z", r"(?P<o>.*)[.]zone\Z", "{o}", (NET,), 5.0, AT),),
    ),
    ("acl", (Acl((ORG,), ()),)),
    (
        "acl net {\nallow type A AAAA net 10.0.0.1/8 ::1\nblock type ANY\nfilter net *\ndrop\n}",
        (
            Acl(
                (NET,),
                (
                    AclRule(
                        "allow", frozenset({1, 28}), (ip_network("10.0.0.0/8"), ip_network("::1"))
                    ),
                    AclRule("block", frozenset({255}), None),
                    AclRule("filter", None, None),
                    AclRule("drop", None, None),
                ),
            ),
        ),
    ),
    (
        "acl {\nblock net 192.0.2.1 type * A TYPE65280\n}",
        (Acl((ORG,), (AclRule("block", None, (ip_network("192.0.2.1/32"),)),)),),
    ),
    ("multisocket", (MultiSocket(None),)),
    ("multisocket 4", (MultiSocket(4),)),
]


@pytest.mark.parametrize(("fragment", "expected"), CASES, ids=[case[0][:50] for case in CASES])
def test_values(fragment: str, expected: tuple[object, ...]) -> None:
    """What is written is what is yielded, defaults included; nothing is warned of."""
    corefile = parse(fragment)
    assert corefile.blocks[0].values == expected
    assert corefile.notices == ()


def test_multisocket_counts_from_one() -> None:
    """A number nobody can mean is an error all the same."""
    with pytest.raises(ConfigError, match="'0' is not a number from 1 to 1024"):
        parse("multisocket 0")


NOT_HERE = "is not supported by ocizone"
REFUSED = [
    ("root", 2, f"plugin/root: {COUNT} 'root'"),
    ("root a b", 2, f"plugin/root: {COUNT} 'b'"),
    ("any x", 2, f"plugin/any: {COUNT} 'x'"),
    ("any {\nx\n}", 3, "plugin/any: Unexpected token '{', expecting argument"),
    ("bufsize 511", 2, "plugin/bufsize: '511' is not a number from 512 to 4096"),
    ("bufsize 1 2", 2, f"plugin/bufsize: {COUNT} '2'"),
    ("loadbalance random", 2, "plugin/loadbalance: unknown policy: random"),
    ("loadbalance weighted f", 2, f"plugin/loadbalance: policy 'weighted' {NOT_HERE}"),
    ("loadbalance round_robin f", 2, f"plugin/loadbalance: {COUNT} 'f'"),
    ("loadbalance weighted", 2, f"plugin/loadbalance: policy 'weighted' {NOT_HERE}"),
    ("loadbalance {\nprefer ::/1\n}", 3, f"plugin/loadbalance: 'prefer' {NOT_HERE}"),
    ("reload 1s", 2, "plugin/reload: interval value must be greater or equal to 2s"),
    ("reload 9s 1ms", 2, "plugin/reload: jitter value must be greater or equal to 1s"),
    ("reload x", 2, 'plugin/reload: time: invalid duration "x"'),
    ("health x", 2, "plugin/health: address x: missing port in address"),
    ("health {\nlameduck\n}", 3, f"plugin/health: {COUNT} 'lameduck'"),
    ("ready {\nmonitor x\n}", 3, "plugin/ready: invalid monitor type: x"),
    ("ready\nready", 3, "plugin/ready: this plugin can only be used once per Server Block"),
    ("errors\nerrors", 3, "plugin/errors: this plugin can only be used once per Server Block"),
    (
        "prometheus\nprometheus",
        3,
        "plugin/prometheus: this plugin can only be used once per Server Block",
    ),
    ("prometheus {\ntls f\n}", 3, f"plugin/prometheus: 'tls' {NOT_HERE}"),
    ("bind", 2, "plugin/bind: at least one address or interface name is expected"),
    ("bind 1.2.3", 2, 'plugin/bind: not a valid IP address or interface name: "1.2.3"'),
    ("bind ::1 :53", 2, 'plugin/bind: not a valid IP address or interface name: ":53"'),
    ("bind ::1 {\nexcept\n}", 3, f"plugin/bind: {COUNT} 'except'"),
    ("bind ::1 {\nexcept ::1\n}", 2, "plugin/bind: 'except' leaves no address to listen on"),
    ("errors f.log", 2, "plugin/errors: invalid log file: f.log"),
    ("errors {\nconsolidate 5m\n}", 3, f"plugin/errors: {COUNT} 'consolidate'"),
    ("errors {\nconsolidate 0s x\n}", 3, "plugin/errors: invalid duration: 0s"),
    ("errors {\nconsolidate x x\n}", 3, 'plugin/errors: time: invalid duration "x"'),
    ("errors {\nconsolidate 1s x y\n}", 3, "plugin/errors: unknown option in consolidate: y"),
    (
        "errors {\nconsolidate 1s x show_first info\n}",
        3,
        "plugin/errors: unknown option in consolidate: show_first",
    ),
    ("errors {\nconsolidate 1s x info show_first y\n}", 3, f"plugin/errors: {COUNT} 'y'"),
    ("log {\nclass\n}", 3, f"plugin/log: {COUNT} 'class'"),
    ("log {\nclass Error\n}", 3, "plugin/log: invalid Class: Error"),
    ("log a..b", 2, "plugin/log: zone is not a valid domain name: a..b"),
    ("file", 2, f"plugin/file: {COUNT} 'file'"),
    ('file ""', 2, "plugin/file: no file name"),
    ("file db a..b", 2, "plugin/file: zone is not a valid domain name: a..b"),
    ("file db {\nreload\n}", 3, f"plugin/file: {COUNT} 'reload'"),
    ("file db {\nreload 5\n}", 3, 'plugin/file: time: missing unit in duration "5"'),
    ("file db {\nfallthrough\n}", 3, f"plugin/file: 'fallthrough' {NOT_HERE}"),
    ("auto", 2, "plugin/auto: no directory set"),
    ('auto {\ndirectory ""\n}', 3, "plugin/auto: no directory set"),
    ("auto {\ndirectory\n}", 3, f"plugin/auto: {COUNT} 'directory'"),
    ("auto {\ndirectory d (x)\n}", 3, f"plugin/auto: {COUNT} '(x)'"),
    ("auto {\ndirectory d (x) {1} 60\n}", 3, f"plugin/auto: {COUNT} '60'"),
    ("auto {\ndirectory d x {1}\n}", 3, "plugin/auto: Need at least one sub expression"),
    (
        "auto {\ndirectory d (?=x) {1}\n}",
        3,
        "plugin/auto: error parsing regexp: invalid or unsupported Perl syntax: `(?=x`",
    ),
    ("auto {\nno_reload\n}", 3, "plugin/auto: unknown property 'no_reload'"),
    ("acl {\npermit\n}", 3, "plugin/acl: unknown property 'permit'"),
    ("acl {\nallow x\n}", 3, "plugin/acl: unexpected token \"x\"; expect 'type | net'"),
    ("acl {\nallow type\n}", 3, 'plugin/acl: no token specified in "type" section'),
    ("acl {\nallow net type A\n}", 3, 'plugin/acl: no token specified in "net" section'),
    ("acl {\nallow type a\n}", 3, 'plugin/acl: unexpected token "a"; expect legal QTYPE'),
    (
        "acl {\nallow type NONSENSE\n}",
        3,
        'plugin/acl: unexpected token "NONSENSE"; expect legal QTYPE',
    ),
    (
        "acl {\nallow type TYPE99999\n}",
        3,
        'plugin/acl: unexpected token "TYPE99999"; expect legal QTYPE',
    ),
    ("acl {\nallow net 10.0.0.0/33\n}", 3, 'plugin/acl: illegal CIDR notation "10.0.0.0/33"'),
    ("acl a..b", 2, "plugin/acl: zone is not a valid domain name: a..b"),
]


@pytest.mark.parametrize(("fragment", "line", "message"), REFUSED, ids=[r[0][:50] for r in REFUSED])
def test_refused(fragment: str, line: int, message: str) -> None:
    """One mistake, one error, at its line."""
    with pytest.raises(ConfigError) as caught:
        parse(fragment)
    assert [(found.line, found.message) for found in caught.value.problems] == [(line, message)]


@pytest.mark.parametrize(
    ("fragment", "rule"),
    [
        ("file db {\nreload_by_mtime\n}", "property-ignored"),
        ("file db {\nupstream 1.1.1.1\n}", "property-ignored"),
        ("auto {\ndirectory d\nupstream\n}", "property-ignored"),
        ("auto {\ndirectory d (x) {2}\n}", "unknown-group"),
        ("auto {\ndirectory d (x) {name}\n}", "unknown-group"),
        ("prometheus {\nruntime_metrics\n}", "property-ignored"),
        ("log {common}", "format-without-name"),
        ("any {}", "empty-block"),
        ("cache 30", "directive-ignored"),
        ("cache {\nsuccess 100\n}", "directive-ignored"),
        ("nsid {$NOT_SET}", "environment-unset"),
    ],
)
def test_warned(fragment: str, rule: str) -> None:
    """What loads but does not mean what one may think is told."""
    assert [found.rule for found in parse(fragment).notices] == [rule]


@pytest.mark.parametrize(
    ("fragment", "message", "hint"),
    [
        (
            "git x",
            "plugin 'git' is not supported by ocizone (zones are pulled from a registry, not from git)",
            "push the zone files with 'ocizone push' or 'oras push' and follow them with 'oci'",
        ),
        (
            "forward . 1.1.1.1",
            (
                "plugin 'forward' is not supported by ocizone"
                " (it belongs to a resolver; ocizone is authoritative only)"
            ),
            "",
        ),
        (
            "secondary {\ntransfer from 192.0.2.1\n}",
            "plugin 'secondary' is not supported by ocizone yet (zones transferred from a primary)",
            "",
        ),
        ("prometeus", "Unknown directive 'prometeus'", "did you mean 'prometheus'?"),
        ("kubernets", "Unknown directive 'kubernets'", "did you mean 'kubernetes'?"),
        ("interval 5", "Unknown directive 'interval'", "'interval' belongs in the block of oci"),
        (
            "reload_by_mtime",
            "Unknown directive 'reload_by_mtime'",
            "'reload_by_mtime' belongs in the block of file",
        ),
        ("zzzzz", "Unknown directive 'zzzzz'", ""),
        (
            "example.net {\n}",
            "Unknown directive 'example.net'",
            "a second server block? both need braces, and a space before '{'",
        ),
    ],
)
def test_what_is_not_a_working_directive(fragment: str, message: str, hint: str) -> None:
    """Refused with a reason, or unknown with the nearest name."""
    with pytest.raises(ConfigError) as caught:
        parse(fragment)
    ((found),) = caught.value.problems
    assert (found.line, found.message, found.hint) == (2, message, hint)


def test_relative_paths_start_from_root() -> None:
    """The last `root` counts, wherever it stands in the block."""
    found = block(
        "file db\nauto {\ndirectory d\n}\noci h.example/r x {\nca_file ca\n}\nroot /a\nroot /b"
    )
    zone_file, zones, artifact = found.get(ZoneFile), found.get(AutoZones), found.get(Artifact)
    assert zone_file
    assert zones
    assert artifact
    assert (zone_file.path, zones.directory, artifact.path, artifact.ca_file) == (
        "/b/db",
        "/b/d",
        "/b/x",
        "/b/ca",
    )


def test_a_wrong_root_is_one_error() -> None:
    """What relies on it does not complain too."""
    with pytest.raises(ConfigError) as caught:
        parse("root\noci h.example/r")
    assert [found.line for found in caught.value.problems] == [2]


def test_values_are_in_plugin_order() -> None:
    """The order of the Corefile does not count between directives, and does within one."""
    found = block("whoami\nfile b\nlog net\nfile a\nlog\nany\nbind ::1")
    assert [type(value) for value in found.values] == [
        Bind, LogRule, LogRule, AnyHinfo, ZoneFile, ZoneFile, Whoami,
    ]  # fmt: skip
    assert [one.path for one in found.all(ZoneFile)] == ["/srv/b", "/srv/a"]


def test_hosts_are_literal_addresses() -> None:
    """Interface names stay in Bind: resolving them is not parsing."""
    found = block("bind 127.0.0.1 eth0 0:0::1 192.0.2.1 {\nexcept 192.0.2.1\n}\nbind 127.0.0.1")
    assert found.hosts == ("127.0.0.1", "::1")


def test_a_snippet_reports_its_mistake_once() -> None:
    """Five imports of one mistake are one finding."""
    text = "(s) {\nlog {\nclass x\n}\n}\n" + "".join(f"z{n}. {{\nimport s\n}}\n" for n in range(5))
    with pytest.raises(ConfigError) as caught:
        parse_text(text, environ={}, cwd="/")
    assert len(caught.value.problems) == 1


def test_findings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nonsense does not print a book."""
    monkeypatch.setattr("ocizone.corefile.report.PROBLEMS", 3)
    with pytest.raises(ConfigError) as caught:
        parse("\n".join(f"x{n}" for n in range(9)))
    assert [found.line for found in caught.value.problems] == [2, 3, 4]


def test_warnings_come_with_the_errors() -> None:
    """One run of `check` shows both."""
    with pytest.raises(ConfigError) as caught:
        parse("cache\nnosuch")
    assert [found.severity for found in caught.value.problems] == [Severity.WARNING, Severity.ERROR]
