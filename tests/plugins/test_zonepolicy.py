"""``dnssec`` and ``serial`` in blocks of ``oci``, ``file`` and ``auto``."""

from __future__ import annotations

import pytest

from ocizone.errors import ConfigError
from tests.test_plan import plan_of

FILE = "org {{\nfile /z/db.org {{\n{}\n}}\n}}"
AUTO = "org {{\nauto {{\ndirectory /z\n{}\n}}\n}}"
OCI = "org {{\noci r.test/a /z {{\n{}\n}}\n}}"


def policies(text: str) -> list[tuple[str, str]]:
    return [(rule.dnssec, rule.serial) for source in plan_of(text).sources for rule in source.rules]


@pytest.mark.parametrize("directive", [FILE, AUTO, OCI])
def test_each_directive_says_what_becomes_of_odd_zones(directive: str):
    """Refused, and served with the serial they have, unless it says otherwise."""
    assert policies(directive.format("")) == [("refuse", "keep")]
    assert policies(directive.format("dnssec warn")) == [("warn", "keep")]
    assert policies(directive.format("serial unixtime\nserial auto")) == [("refuse", "auto")]


@pytest.mark.parametrize("kind", ["file db.org", "auto"])
def test_what_names_the_file_decides(kind: str):
    """A file of an artifact asks its own directive first, then the ``oci``."""
    block = "\ndirectory /z" if kind == "auto" else ""
    text = "org {{\nroot /z\noci r.test/a /z {{\ndnssec warn\nserial auto\n}}\n{} {{{}\n{}\n}}\n}}"
    assert policies(text.format(kind, block, "")) == [("warn", "auto")]
    assert policies(text.format(kind, block, "serial keep")) == [("warn", "keep")]
    assert policies(text.format(kind, block, "dnssec refuse")) == [("refuse", "auto")]


@pytest.mark.parametrize("line", ["dnssec maybe", "serial increment", "serial", "dnssec warn warn"])
@pytest.mark.parametrize("directive", [FILE, AUTO, OCI])
def test_other_words_are_refused(directive: str, line: str):
    """With the line they stand in."""
    with pytest.raises(ConfigError) as caught:
        plan_of(directive.format(line))
    assert caught.value.problems[0].line in {3, 4}
