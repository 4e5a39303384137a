"""What is told of one version after another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ocizone.compiler.spec import CompiledZone
from ocizone.follow.succession import unnoticed

ZONE = CompiledZone("v", "x.", 5, 2, "db.x", "a")


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({}, []),
        ({"serial": 6}, []),
        ({"serial": 4}, []),
        ({"serial": 6, "content": "b"}, []),
        ({"serial": 5, "content": "b"}, ["serial-not-risen"]),
        ({"serial": 4, "content": "b"}, ["serial-backwards"]),
        ({"serial": 5 + 2**31, "content": "b"}, ["serial-backwards"]),
        ({"serial": 5 + 2**31 - 1, "content": "b"}, []),
        ({"view": "w", "content": "b"}, []),
        ({"content": ""}, []),
    ],
)
def test_serials_that_secondaries_miss(changed, rules):
    """RFC 1982 3.2; of zones that are new, or of which nothing is known, nothing is told."""
    found = unnoticed((ZONE,), (replace(ZONE, **changed),))
    assert [problem.rule for problem in found] == rules
    assert all(problem.file == "db.x" for problem in found)


def test_a_record_of_an_old_program_tells_nothing():
    """It has no hash of the content."""
    assert unnoticed((replace(ZONE, content=""),), (ZONE,)) == ()
    assert unnoticed((), (ZONE,)) == ()


def test_a_zone_that_lost_its_signatures():
    """Bogus for the world while the parent has a DS (RFC 4035 5.2)."""
    signed = replace(ZONE, signed_until=9)
    (problem,) = unnoticed((signed,), (ZONE,))
    assert problem.rule == "signatures-gone"
    assert unnoticed((ZONE,), (signed,)) == ()


def test_a_signed_zone_is_raised_by_its_signer():
    """The hint says so."""
    signed = replace(ZONE, signed_until=9)
    (problem,) = unnoticed((signed,), (replace(signed, content="b"),))
    assert "sign again" in problem.hint


def test_a_file_of_two_views_is_told_once():
    """One finding a file."""
    before = (ZONE, replace(ZONE, view="w"))
    after = tuple(replace(zone, content="b") for zone in before)
    assert len(unnoticed(before, after)) == 1
