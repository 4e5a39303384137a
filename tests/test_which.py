"""Which artifact, which zone and which owner answer a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ocizone.answer.blocks import Loaded, NotReady
from ocizone.compiler.spec import CompiledZone
from ocizone.store.deployments import Deployment, StoredLayer
from ocizone.which import which
from ocizone.wire.name import from_text
from tests.test_plan import plan_of
from tests.zonebuilder import block, snapshot, zone

ZONE = """\
@ 300 IN SOA ns1 hostmaster 7 7200 3600 1209600 300
@ 300 IN NS ns1
ns1 300 IN A 192.0.2.1
www 300 IN A 192.0.2.10
www 300 IN TXT "x"
alias 300 IN CNAME www
*.wild 300 IN A 192.0.2.20
sub 300 IN NS ns.sub
ns.sub 300 IN A 192.0.2.30
tree 300 IN DNAME other.test.
a.ent 300 IN A 192.0.2.40
"""
"""What the names below are of."""

ONE, TWO = "dns://one:53", "dns://two:53"


def asked(name: str, view: str = "") -> list[dict[str, Any]]:
    """Return the answers for a name of org. or net."""
    served = snapshot(
        block("one", {"org": Loaded(zone(ZONE, "org.")), "net": NotReady("not yet")}),
        block("two", {"org": Loaded(zone(ZONE, "org."))}),
    )
    deployment = Deployment(
        source="key",
        reference="r.test/zones:prod",
        digest="sha256:" + "1" * 64,
        layers=(StoredLayer("sha256:" + "2" * 64, 5, "db.org", unpack=False, media_type="x"),),
        fingerprint="3" * 64,
        zones=(CompiledZone(ONE, "org.", 7, 11, "db.org"),),
        files=(),
        activated_at=1,
        generation=1,
    )
    found = which(
        from_text(name),
        served,
        plan_of("org {\nwhoami\n}"),
        {"key": deployment},
        lambda digest: Path("/blobs", digest),
        view,
    )
    assert found["schema"] == "ocizone.which/v1"
    answers = found["answers"]
    assert isinstance(answers, list)
    return answers


@pytest.mark.parametrize(
    ("name", "match", "owner", "types"),
    [
        ("www.org.", "exact", "www.org.", ["A", "TXT"]),
        ("alias.org.", "exact", "alias.org.", ["CNAME"]),
        ("x.wild.org.", "wildcard", "*.wild.org.", ["A"]),
        ("host.sub.org.", "delegation", "sub.org.", ["NS"]),
        ("x.tree.org.", "dname", "tree.org.", ["DNAME"]),
        ("ent.org.", "nodata", "ent.org.", []),
        ("none.org.", "nxdomain", "none.org.", []),
    ],
)
def test_what_decides(name: str, match: str, owner: str, types: list[str]):
    """The owner that the answer comes from, whatever was asked."""
    (answer,) = asked(name, ONE)
    assert (answer["match"], answer["owner"], answer["types"]) == (match, owner, types)
    assert (answer["zone"], answer["serial"]) == ("org.", 7)


def test_where_it_comes_from():
    """Reference, digest, and the blobs its line can be found in."""
    (answer,) = asked("www.org.", ONE)
    assert answer["reference"] == "r.test/zones:prod"
    assert answer["digest"] == "sha256:" + "1" * 64
    (layer,) = answer["layers"]
    assert layer["blob"] == "/blobs/sha256:" + "2" * 64
    assert layer["title"] == "db.org"


def test_every_block_answers_for_itself():
    """One whose zone is of no deployment says so."""
    one, two = asked("www.org.")
    assert (one["view"], two["view"]) == (ONE, TWO)
    assert two["digest"] == ""


def test_no_zone_for_it():
    """Nor one that is not loaded."""
    assert asked("www.com.") == []
    assert asked("www.net.") == []
