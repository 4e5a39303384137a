"""``tls``: the values it yields, what it refuses, and which blocks may share an address."""

from __future__ import annotations

import pytest

from ocizone.corefile.load import parse_text
from ocizone.corefile.types import Corefile, Position
from ocizone.endpoint import Endpoint
from ocizone.errors import ConfigError, Severity
from ocizone.plan import Plan, make_plan
from ocizone.plugins.tls import Tls

AT = Position("Corefile", 2)
AUTHS = "nocert, request, require, verify_if_given, require_and_verify"


def parse(text: str) -> Corefile:
    return parse_text(text, environ={}, cwd="/srv")


def plan_of(text: str) -> Plan:
    return make_plan(parse(text), lambda name: (name,))


def values(fragment: str) -> tuple[Tls, ...]:
    return parse(f"tls://org {{\n{fragment}\n}}\n").blocks[0].all(Tls)


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("tls c k", Tls("/srv/c", "/srv/k", None, "nocert", None, AT)),
        ("tls /etc/c /etc/k ca", Tls("/etc/c", "/etc/k", "/srv/ca", "nocert", None, AT)),
        ("tls c k {\nclient_auth request\n}", Tls("/srv/c", "/srv/k", None, "request", None, AT)),
        (
            "tls c k a {\nclient_auth require_and_verify\nkeylog l\n}",
            Tls("/srv/c", "/srv/k", "/srv/a", "require_and_verify", "/srv/l", AT),
        ),
    ],
)
def test_values(fragment, expected):
    """Two or three files and what clients are asked for (CoreDNS' plugin/tls)."""
    (found,) = values(fragment)
    assert (found, found.position) == (expected, AT)


def test_paths_start_from_root():
    """As those of other directives."""
    (found,) = values("root /etc/dns\ntls c k ca {\nkeylog l\n}")
    assert (found.certificate, found.key) == ("/etc/dns/c", "/etc/dns/k")
    assert (found.authorities, found.keylog) == ("/etc/dns/ca", "/etc/dns/l")


COUNT = "plugin/tls: Wrong argument count or unexpected line ending after"


@pytest.mark.parametrize(
    ("fragment", "message", "hint"),
    [
        ("tls", f"{COUNT} 'tls'", "write 'tls CERT KEY [CA] { ... }'"),
        ("tls c", f"{COUNT} 'c'", "write 'tls CERT KEY [CA] { ... }'"),
        ("tls c k a b", f"{COUNT} 'b'", "write 'tls CERT KEY [CA] { ... }'"),
        (
            "tls c k {\nclient_auth always\n}",
            "plugin/tls: unknown authentication type 'always'",
            f"known: {AUTHS}",
        ),
        (
            "tls c k {\nclient_auth required\n}",
            "plugin/tls: unknown authentication type 'required'",
            "did you mean 'require'?",
        ),
        (
            "tls c k {\nclient_auth require_and_verify\n}",
            "plugin/tls: client_auth require_and_verify needs a CA",
            "write 'tls CERT KEY CA'; without it CoreDNS takes every public authority's word",
        ),
        (
            "tls c k {\nacme example.org\n}",
            "plugin/tls: 'acme' is not supported by ocizone",
            "give CERT and KEY, and let an ACME client renew them: changed files are taken up",
        ),
        (
            "tls c k\ntls c k",
            "plugin/tls: this plugin can only be used once per Server Block",
            "first at Corefile:2",
        ),
    ],
)
def test_refusals(fragment, message, hint):
    """In CoreDNS' words where it has some."""
    with pytest.raises(ConfigError) as caught:
        values(fragment)
    (problem,) = caught.value.problems
    assert (problem.message, problem.hint) == (message, hint)


def test_a_key_log_is_warned_of():
    """Whoever has the file can read every session."""
    (notice,) = parse("tls://org {\ntls c k {\nkeylog l\n}\n}").notices
    assert (notice.severity, notice.rule) == (Severity.WARNING, "tls-keylog")


def test_blocks_of_one_address_agree():
    """A client says which zone it wants after the handshake only."""
    text = "tls://org {{\ntls c k\n}}\ntls://net {{\n{}\n}}\n"
    (address,) = plan_of(text.format("tls c k")).tls
    assert address == Endpoint("tls", "", 853)
    with pytest.raises(ConfigError) as caught:
        plan_of(text.format("tls d k"))
    (problem,) = caught.value.problems
    assert (problem.line, problem.message) == (5, "tls://:853 has another certificate already")
    assert problem.hint == "first at Corefile:2: one address, one 'tls'"


def test_other_addresses_have_other_certificates():
    """By `bind` or by port."""
    plan = plan_of(
        "tls://org {\nbind 127.0.0.1\ntls c k\n}\ntls://net {\nbind 127.0.0.2\ntls d k\n}"
    )
    assert {str(at): tls.certificate for at, tls in plan.tls.items()} == {
        "tls://127.0.0.1:853": "/srv/c",
        "tls://127.0.0.2:853": "/srv/d",
    }


@pytest.mark.parametrize("keys", ["org:853, tls://org", "tls://org, dns://org:853"])
def test_plain_and_tls_cannot_share_a_port(keys):
    """Both need TCP; the system would say only that the port is taken."""
    with pytest.raises(ConfigError) as caught:
        plan_of(f"{keys} {{\ntls c k\n}}")
    (problem,) = caught.value.problems
    assert "is there already" in problem.message
    assert problem.line == 1
