"""Any words in an `oci` block: a value or findings with a place, never anything else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone import limits
from ocizone.corefile.load import parse_text
from ocizone.corefile.types import Corefile
from ocizone.errors import ConfigError
from ocizone.plugins.artifact import Artifact
from ocizone.plugins.oci import DIRECTIVE

NAMES = [one.name for one in DIRECTIVE.properties]
INNER = [inner.name for one in DIRECTIVE.properties for inner in one.properties]
WORDS = st.sampled_from(
    [*NAMES, *INNER, "{", "}", "\n", "\n", "true", "5m", "10%", "0", "*", "a.pub", ">=1", "^2",
     "jitter", "h.example/r", "http://h", "@hourly", "@every", "30%", "1GiB", "warn", '"', "{$X}",
     "https://i", "text/x", "#", "\u0661", "9" * 400]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=25))
def test_any_words(words: list[str]):
    """Whatever stands there, and however its braces are."""
    text = f". {{\nroot /z\noci h.example/r {{\n{' '.join(words)}\n}}\n}}\n"
    parsed: Corefile | ConfigError
    try:
        parsed = parse_text(text, environ={}, cwd="/srv")
    except ConfigError as error:
        parsed = error
    if isinstance(parsed, ConfigError):
        assert {one.file for one in parsed.problems} == {"Corefile"}
        return
    for found in parsed.blocks[0].all(Artifact):
        assert limits.MINIMUM_INTERVAL_S <= found.interval_s <= limits.MAXIMUM_INTERVAL_S
        assert 0 <= found.jitter <= limits.MOST_JITTER
        assert found.attempts >= 1
        assert found.keep.deployments >= 1
        assert not found.verify or found.verify.keys or found.verify.identities
        assert not (found.semver and found.reference.digest)
