"""`webhook`, `api`, `artifacts`, `provenance`, `memcached`: values, warnings, refusals."""

from __future__ import annotations

import pytest

from ocizone.corefile.load import parse_text
from ocizone.corefile.types import Corefile, Position
from ocizone.errors import ConfigError, Severity
from ocizone.plugins.api import Api
from ocizone.plugins.artifacts import Artifacts
from ocizone.plugins.memcached import Memcached
from ocizone.plugins.provenance import Provenance
from ocizone.plugins.webhook import Webhook

AT = Position("Corefile", 3)


def parse(fragment: str) -> Corefile:
    return parse_text(f"org {{\nroot /z\n{fragment}\n}}\n", environ={}, cwd="/srv")


@pytest.mark.parametrize(
    ("fragment", "value"),
    [
        ("webhook", Webhook("127.0.0.1", 8182, None, AT)),
        ("webhook localhost:1", Webhook("127.0.0.1", 1, None, AT)),
        ("webhook [::1]:1", Webhook("::1", 1, None, AT)),
        ("webhook :8182 {\nsecret a/b\n}", Webhook("", 8182, "/z/a/b", AT)),
        ("webhook 192.0.2.1:80 { secret /s }", Webhook("192.0.2.1", 80, "/s", AT)),
        ("api", Api("127.0.0.1", 8183, None, AT)),
        ("api :1 { token t }", Api("", 1, "/z/t", AT)),
        ("artifacts", Artifacts("127.0.0.1", 8184, AT)),
        ("artifacts :80", Artifacts("", 80, AT)),
        ("provenance", Provenance()),
        ("memcached localhost:11211", Memcached("localhost", 11211, AT)),
        ("memcached cache-1.example.org.:1", Memcached("cache-1.example.org.", 1, AT)),
        ("memcached 192.0.2.1:1", Memcached("192.0.2.1", 1, AT)),
        ("memcached [2001:db8::1]:1", Memcached("2001:db8::1", 1, AT)),
    ],
)
def test_values(fragment: str, value: object):
    """Loopback unless said otherwise; files start from root and are not read."""
    corefile = parse(fragment)
    assert corefile.blocks[0].values[-1] == value
    assert corefile.notices == ()


def test_an_open_api_is_told():
    """It is readable only, but by everybody."""
    (notice,) = parse("api :8183").notices
    assert (notice.line, notice.rule) == (3, "api-open")


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("webhook :8182", "without a secret anybody who reaches this address"),
        ("webhook 0.0.0.0:8182", "without a secret anybody who reaches this address"),
        ("webhook [::]:8182", "without a secret anybody who reaches this address"),
        ("webhook 8182", "missing port in address"),
        ('webhook { secret "" }', "secret: the name of a file is empty"),
        ("webhook { secret {$NOT_SET} }", "environment variable NOT_SET is not set"),
        ("api { token {$NOT_SET} }", "environment variable NOT_SET is not set"),
        ("api a b", "Wrong argument count"),
        ("artifacts :99999", "invalid port"),
        ("provenance yes", "Wrong argument count"),
        ("provenance\nprovenance", "can only be used once"),
        ("memcached", "Wrong argument count"),
        ("memcached cache.example.org", "'cache.example.org' is not HOST:PORT"),
        ("memcached :11211", "is not HOST:PORT"),
        ("memcached a..b:1", "is not HOST:PORT"),
        ("memcached 1.2.3:1", "is not HOST:PORT"),
        ("memcached ::1:1", "is not HOST:PORT"),
        ("memcached [cache]:1", "is not HOST:PORT"),
        ("memcached [192.0.2.1]:1", "is not HOST:PORT"),
        ("memcached h:0", "is not HOST:PORT"),
        ("memcached h:65536", "is not HOST:PORT"),
        (f"memcached {'a.' * 200}b:1", "is not HOST:PORT"),
    ],
)
def test_refused(fragment: str, said: str):
    """What would be open to the world, or means nothing."""
    with pytest.raises(ConfigError) as caught:
        parse(fragment)
    (found,) = [one for one in caught.value.problems if one.severity is Severity.ERROR]
    assert said in found.message
