"""From a Corefile to endpoints, views and sources: which zone comes from where."""

from __future__ import annotations

import pytest

from ocizone.compiler.spec import ZoneRule
from ocizone.corefile.load import parse_text
from ocizone.endpoint import Endpoint
from ocizone.errors import ConfigError
from ocizone.follow.source import LocalSource, OciSource, Source
from ocizone.plan import Plan, make_plan

ADDRESSES = {
    "eth0": ("192.0.2.1", "2001:db8::1"),
    "lo": ("127.0.0.1", "::1"),
    "down0": (),
}


def addresses_of(name: str) -> tuple[str, ...]:
    """Resolve as the system would; an address is itself."""
    if name in ADDRESSES:
        return ADDRESSES[name]
    if name[0].isdigit() or ":" in name:
        return (name,)
    raise OSError(f"no interface with this name: {name}")


def plan_of(text: str, recorded: dict[str, str] | None = None) -> Plan:
    return make_plan(parse_text(text, environ={}, cwd="/srv"), addresses_of, recorded or {})


def oci_source(plan: Plan, number: int = 0) -> OciSource:
    found = [source for source in plan.sources if isinstance(source, OciSource)]
    return found[number]


def rules_of(plan: Plan) -> dict[str, list[tuple[str, str, tuple[str, ...]]]]:
    """Return (kind, path, origins) of each source's rules, by the source's name."""
    return {
        source.name: [(rule.kind, rule.path, rule.origins) for rule in source.rules]
        for source in plan.sources
    }


# --- Where zones come from -------------------------------------------------------------------

A = "oci r.test/zones:v1 /z"
CASES = [
    ("bare", f"org net {{\n{A}\n}}", {"r.test/zones:v1": [("artifact", "", ("org.", "net."))]}),
    (
        "a file inside PATH",
        f"org {{\n{A}\nfile /z/sub/db.org\n}}",
        {"r.test/zones:v1": [("file", "sub/db.org", ("org.",))]},
    ),
    (
        "a file elsewhere leaves the artifact its own zones",
        f"org {{\n{A}\nfile /zz/db.org a.org\n}}",
        {
            "/zz/db.org": [("file", "db.org", ("a.org.",))],
            "r.test/zones:v1": [("artifact", "", ("org.",))],
        },
    ),
    (
        "a directory inside PATH, and PATH itself",
        f"org {{\n{A}\nauto {{\ndirectory /z/sub\n}}\nauto {{\ndirectory /z\n}}\n}}",
        {"r.test/zones:v1": [("auto", "sub", ("org.",)), ("auto", "", ("org.",))]},
    ),
    (
        "a directory elsewhere",
        "org {\nauto {\ndirectory /d\n}\n}",
        {"/d": [("auto", "", ("org.",))]},
    ),
    (
        "PATH of another block's artifact",
        f"org {{\n{A}\n}}\nnet {{\nfile /z/db.net\n}}",
        {"r.test/zones:v1": [("artifact", "", ("org.",)), ("file", "db.net", ("net.",))]},
    ),
    (
        "the longest PATH wins",
        "org {\noci r.test/a /z\noci r.test/b /z/sub\nfile /z/sub/db.org\nfile /z/db.x x.org\n}",
        {
            "r.test/a:latest": [("file", "db.x", ("x.org.",))],
            "r.test/b:latest": [("file", "db.org", ("org.",))],
        },
    ),
    (
        "an artifact of the own block goes before a longer PATH of another",
        "org {\noci r.test/a /z\nfile /z/sub/db.org\n}\nnet {\noci r.test/b /z/sub\n}",
        {
            "r.test/a:latest": [("file", "sub/db.org", ("org.",))],
            "r.test/b:latest": [("artifact", "", ("net.",))],
        },
    ),
    (
        "an artifact at the root directory holds every path",
        "org {\noci r.test/a /\nfile /z/db.org\n}",
        {"r.test/a:latest": [("file", "z/db.org", ("org.",))]},
    ),
    (
        "one file for two zones is one source",
        "org {\nfile /z/db.x a.org\nfile /z/db.x b.org\n}",
        {"/z/db.x": [("file", "db.x", ("a.org.",)), ("file", "db.x", ("b.org.",))]},
    ),
    ("nothing to serve", "org {\nwhoami\n}", {}),
]


@pytest.mark.parametrize(("text", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_zones_come_from(text, expected):
    """A path inside an artifact's PATH is that artifact's; a bare ``oci`` serves its own zones."""
    assert rules_of(plan_of(text)) == expected


def test_a_view_knows_the_source_of_each_rule():
    """Assembling finds a block's images by these keys."""
    plan = plan_of(f"org {{\n{A}\n}}\nnet {{\nfile /z/db.net\n}}")
    key = oci_source(plan).key
    assert [[one for one, _ in view.rules] for view in plan.views] == [[key], [key]]
    assert [rule.view for view in plan.views for _, rule in view.rules] == [
        "dns://org.:53",
        "dns://net.:53",
    ]


def test_a_local_file_is_looked_at_as_its_directive_says():
    """``reload`` of ``file`` and ``auto`` is the interval; ``root`` resolved the paths."""
    plan = plan_of(
        "org {\nroot /r\nfile db.org {\nreload 7s\n}\nauto {\ndirectory d x(.*) {1}.org\n}\n}"
    )
    file, auto = plan.sources
    assert isinstance(file, LocalSource)
    assert isinstance(auto, LocalSource)
    assert (file.root, file.paths, file.interval_s) == ("/r", ("db.org",), 7.0)
    assert (auto.root, auto.paths, auto.interval_s) == ("/r/d", None, 60.0)
    rule = ZoneRule("dns://org.:53", "auto", "", ("org.",), "x(.*)", "{1}.org")
    assert auto.rules == (rule,)


# --- Keys: what survives a reload or a restart -----------------------------------------------


def only_source(text: str) -> Source:
    (source,) = plan_of(text).sources
    return source


BASE = "org {\noci r.test/zones:v1 /z\n}"


@pytest.mark.parametrize(
    "text",
    [
        "org {\noci r.test/zones:v2 /z\n}",
        f"org {{\noci r.test/zones@sha256:{'a' * 64} /z\n}}",
        "org {\noci r.test/zones:v1 /z {\ninterval 10\nusername a\npassword b\n}\n}",
        "org net {\noci r.test/zones:v1 /z\n}",
        "org:5300 {\nbind 127.0.0.1\noci r.test/zones:v1 /z\n}",
        "org {\noci r.test/zones:v1 /y\n}",
    ],
)
def test_the_key_of_an_artifact_outlives(text):
    """A new tag, PATH, port, credentials or block key goes on serving the last good version meanwhile."""
    assert only_source(text).key == only_source(BASE).key
    assert only_source(text) != only_source(BASE)


@pytest.mark.parametrize(
    "text",
    [
        "org {\noci r.test/other:v1 /z\n}",
        "org {\noci s.test/zones:v1 /z\n}",
    ],
)
def test_another_artifact_has_another_key(text):
    """Registry and repository make the identity."""
    assert only_source(text).key != only_source(BASE).key


def test_a_line_that_moves_changes_nothing():
    """A comment above a block must not restart its follower."""
    moved = "# a comment\n\n" + BASE.replace("{\n", "{\n\n# one more\n")
    assert only_source(moved) == only_source(BASE)


def test_the_same_artifact_in_two_blocks_is_followed_for_each():
    """The first block keeps its key when a second one follows the same tag."""
    plan = plan_of(BASE + "\nnet {\noci r.test/zones:v1 /z\n}")
    first, second = plan.sources
    assert first.key == only_source(BASE).key != second.key


def test_sources_of_one_name_are_told_apart():
    """Metrics and log lines go by the name: two series of one name would be one."""
    plan = plan_of(
        "org {\noci r.test/z /a\n}\nnet {\noci r.test/z /b\n}\n"
        "com {\nfile /l/db\n}\nedu {\nfile /l/db\n}\ninfo {\nfile /l/other\n}"
    )
    assert sorted(source.name for source in plan.sources) == [
        "/l/db for dns://com.:53",
        "/l/db for dns://edu.:53",
        "/l/other",
        "r.test/z:latest for /a dns://org.:53",
        "r.test/z:latest for /b dns://net.:53",
    ]


@pytest.mark.parametrize(
    "second", ["oci r.test/zones:v2 /z", "oci r.test/zones:v1 /y", "oci r.test/zones:v2 /y"]
)
def test_several_artifacts_of_one_repository_are_all_followed(second):
    """Two tags, or two directories: a follower each; the first keeps its key."""
    plan = plan_of(f"org {{\noci r.test/zones:v1 /z\n{second}\n}}")
    assert len(plan.sources) == 2
    assert plan.sources[0].key == only_source(BASE).key


def test_one_artifact_twice_into_one_path_is_refused():
    """Two followers of the same thing in one block: a slip of the pen."""
    with pytest.raises(ConfigError, match=r"Corefile:6: error\[artifact-twice\]"):
        plan_of(BASE + "\nnet {\noci r.test/zones:v1 /z\noci r.test/zones:v1 /z\n}")


# --- Views and endpoints ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("example.ORG", "dns://example.org.:53"),
        ("example.org:5300", "dns://example.org.:5300"),
        (". org:54", "dns://.:53,dns://org.:54"),
        ("10.0.0.0/15", "dns://0.10.in-addr.arpa.:53,dns://1.10.in-addr.arpa.:53"),
    ],
)
def test_a_view_is_named_by_its_keys(key, name):
    """The name is stable: it labels metrics and images, whatever the block's place."""
    assert [view.name for view in plan_of(f"{key} {{\nwhoami\n}}").views] == [name]
    later = plan_of(f"com {{\nwhoami\n}}\n\n{key} {{\nwhoami\n}}")
    assert later.views[1].name == name


@pytest.mark.parametrize(
    ("bind", "hosts", "suffix"),
    [
        ("", [""], ""),
        ("bind 192.0.2.9", ["192.0.2.9"], "@192.0.2.9"),
        ("bind eth0", ["192.0.2.1", "2001:db8::1"], "@eth0"),
        ("bind eth0 {\nexcept 2001:db8::1\n}", ["192.0.2.1"], "@eth0"),
        (
            "bind eth0 lo {\nexcept eth0\n}\nbind 192.0.2.1",
            ["127.0.0.1", "::1", "192.0.2.1"],
            "@eth0,lo,192.0.2.1",
        ),
        ("bind lo 127.0.0.1", ["127.0.0.1", "::1"], "@lo,127.0.0.1"),
    ],
)
def test_bind_makes_endpoints(bind, hosts, suffix):
    """Interfaces stand for their addresses, ``except`` for its own line, each address once."""
    plan = plan_of(f"org {{\n{bind}\nwhoami\n}}")
    assert plan.endpoints == tuple(Endpoint("dns", host, 53) for host in hosts)
    assert plan.views[0].name == f"dns://org.:53{suffix}"
    assert plan.views[0].zones == (b"\x03org\x00",)


def test_blocks_share_an_endpoint():
    """One socket, several blocks; each key is carried by each address."""
    plan = plan_of("org net {\nwhoami\n}\ncom {\nwhoami\n}")
    assert plan.endpoints == (Endpoint("dns", "", 53),)
    assert [len(view.keys) for view in plan.views] == [2, 1]


def test_an_unknown_interface_is_an_error():
    """The system says which; nothing starts."""
    with pytest.raises(ConfigError, match=r"Corefile:1: .*nosuch0"):
        plan_of("org {\nbind nosuch0\nwhoami\n}")


def test_an_interface_without_address_is_an_error():
    """A block that listens nowhere would be served by nobody, and nobody would know."""
    with pytest.raises(
        ConfigError, match=r"Corefile:1: .*bind down0 leaves no address to listen on"
    ):
        plan_of("org {\nbind down0\nwhoami\n}")


def test_an_interface_may_not_hide_an_overlap():
    """Corefile 1.9: one zone on one address has one block, however the address is written."""
    with pytest.raises(ConfigError, match=r"Corefile:5: .* on dns://127\.0\.0\.1:53 - it is alrea"):
        plan_of(
            "org {\nbind lo\nwhoami\n}\n\norg {\nbind 127.0.0.1\nwhoami\n}".replace("\n\n", "\n")
        )


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        (Endpoint("dns", "", 53), "dns://:53"),
        (Endpoint("dns", "127.0.0.1", 5300), "dns://127.0.0.1:5300"),
        (Endpoint("tls", "::1", 853), "tls://[::1]:853"),
    ],
)
def test_an_endpoint_reads_as_in_metrics(endpoint, text):
    """Corefile 2.12: the ``server`` label."""
    assert str(endpoint) == text


def test_two_artifacts_with_one_path_are_told():
    """Files of one name are the other's; two blocks with one artifact are nothing to tell."""
    text = "{} {{\n root /z\n oci r.test/{}:1\n}}\n"
    plan = plan_of(text.format("org", "a") + text.format("net", "b") + text.format("com", "a"))
    (notice,) = plan.notices
    assert (notice.rule, notice.line) == ("path-shared", 7)
    assert "r.test/b:1: its PATH /z is r.test/a:1's too" in notice.message
    assert plan_of(text.format("org", "a") + text.format("net", "a")).notices == ()


def test_a_block_above_takes_no_state():
    """What had a key keeps it: last good version, pin and mark are found by it."""
    below = "org {\n root /z\n oci r.test/zones:prod\n}\n"
    above = "net {\n root /y\n oci r.test/zones:staging\n}\n"
    before = plan_of(below)
    after = plan_of(above + below, dict(before.keys_by_identity))
    assert after.sources[1].key == before.sources[0].key
    assert after.sources[0].key != before.sources[0].key
    # And again when the one above is gone.
    again = plan_of(below, dict(after.keys_by_identity))
    assert again.sources[0].key == before.sources[0].key


def test_a_block_moved_to_another_tag_keeps_its_state():
    """It goes on serving v1 until v2 is there."""
    before = plan_of("org {\n root /z\n oci r.test/zones:v1\n}\n")
    after = plan_of("org {\n root /z\n oci r.test/zones:v2\n}\n", dict(before.keys_by_identity))
    assert after.sources[0].key == before.sources[0].key
