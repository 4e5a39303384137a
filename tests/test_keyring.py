"""keyring: what all blocks share, and where they disagree."""

from __future__ import annotations

import pytest

from ocizone.corefile.load import parse_text
from ocizone.corefile.types import Corefile
from ocizone.errors import ConfigError
from ocizone.keyring import cookie_secrets, tsig_keys
from ocizone.wire.name import from_text

A, B = "Zm9v", "YmFy"
HEX = "00112233445566778899aabbccddeeff"


def parsed(*blocks: str) -> Corefile:
    text = "\n".join(f"{index}.test {{\n{body}\n}}" for index, body in enumerate(blocks))
    return parse_text(text, environ={}, cwd="/")


def test_keys_of_all_blocks() -> None:
    """One set for the server; the same key may stand in several blocks."""
    corefile = parsed(
        f"whoami\ntsig {{\nsecret One. {A}\n}}",
        f"whoami\ntsig {{\nsecret one {A}\nsecret two {B} hmac-sha512\n}}",
    )
    keys = tsig_keys(corefile.blocks)
    assert set(keys) == {from_text("one."), from_text("two.")}
    assert keys[from_text("two.")].algorithm == from_text("hmac-sha512.")


@pytest.mark.parametrize("other", [B, f"{A} hmac-sha512"])
def test_one_name_two_keys(other: str) -> None:
    """Which one a client means nobody could tell; no secret is shown."""
    corefile = parsed(
        f"whoami\ntsig {{\nsecret k {A}\n}}", f"whoami\ntsig {{\nsecret k {other}\n}}"
    )
    with pytest.raises(ConfigError) as raised:
        tsig_keys(corefile.blocks)
    (problem,) = raised.value.problems
    assert (problem.rule, problem.line) == ("key-twice", 9)
    assert 'key "k." is another one at Corefile:3' in problem.message
    assert A not in str(problem)
    assert B not in str(problem)


def test_a_transfer_with_a_key_nobody_has() -> None:
    """It would refuse every transfer without a word."""
    corefile = parsed(
        "whoami\ntransfer {\nto * key nosuch\nto 192.0.2.1 key k\n}",
        f"whoami\ntsig {{\nsecret k {A}\n}}",
    )
    with pytest.raises(ConfigError, match=r'no block has the key "nosuch\."'):
        tsig_keys(corefile.blocks)


def test_cookie_secrets() -> None:
    """Those of whichever block has them; none makes one at start."""
    assert cookie_secrets(parsed("whoami", "whoami\ncookies off").blocks) == ()
    given = f"whoami\ncookies {{\nsecret {HEX}\n}}"
    assert cookie_secrets(parsed("whoami", given, given).blocks) == (bytes.fromhex(HEX),)


def test_different_cookie_secrets() -> None:
    """They belong to the server; neither is shown."""
    other = HEX[::-1]
    with pytest.raises(ConfigError) as raised:
        cookie_secrets(
            parsed(*(f"whoami\ncookies {{\nsecret {one}\n}}" for one in (HEX, other))).blocks
        )
    assert "other secrets than at Corefile:3" in str(raised.value)
    assert HEX not in str(raised.value)
