"""``tsig`` and ``cookies``: what they yield, what they refuse, and that no secret is shown."""

from __future__ import annotations

import errno
import os

import pytest

from ocizone.corefile.load import parse_text
from ocizone.errors import ConfigError
from ocizone.plugins.cookies import Cookies
from ocizone.plugins.tsig import Tsig, TsigRules
from ocizone.wire.name import from_text
from ocizone.wire.tsig import TsigKey

HEX = "00112233445566778899aabbccddeeff"
SECRET = "bm90IGEgcmVhbCBzZWNyZXQ="  # spells: not a real secret
OCTETS = b"not a real secret"
KEY = TsigKey(from_text("k.test."), from_text("hmac-sha256."), OCTETS)
FILES = {
    "/run/keys": f"""
/* of tsig-keygen */ key "K.test" {{
    algorithm HMAC-SHA512;   // yes
    secret "{SECRET}";
}};
# one line
key two. {{ secret {SECRET}; }};
""",
    "/run/cookies": f"{HEX} # now\n\n{HEX[::-1]}\n",
    "/run/empty": "# nothing\n",
    "/run/half": f'key "k" {{ algorithm hmac-sha256; secret "{SECRET}"; ',
    "/run/other": f'options {{ secret "{SECRET}"; }};',
    "/run/keyless": 'key "k" { algorithm hmac-sha256; };',
    "/run/algorithm": f'key "k" {{ algorithm hmac-md5; secret "{SECRET}"; }};',
    "/run/nohex": "ob-viously-fake\n",
}


def read(path: str) -> str:
    try:
        return FILES[path]
    except KeyError:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None


def values(body: str) -> tuple[object, ...]:
    text = f"example.org {{\nwhoami\n{body}\n}}"
    return parse_text(text, read=read, environ={}, cwd="/run").blocks[0].values


def tsig(body: str) -> Tsig:
    (found,) = [value for value in values(body) if isinstance(value, Tsig)]
    return found


def cookies(body: str) -> Cookies:
    (found,) = [value for value in values(body) if isinstance(value, Cookies)]
    return found


def refusal(body: str) -> str:
    with pytest.raises(ConfigError) as raised:
        values(body)
    assert SECRET not in str(raised.value)
    assert HEX not in str(raised.value)
    return str(raised.value)


def test_a_key() -> None:
    """Names have no case and may lack their dot; the algorithm defaults to hmac-sha256."""
    directive = tsig(f"tsig {{\nsecret K.test {SECRET}\nsecret b. {SECRET} hmac-sha384\n}}")
    assert directive.keys[0] == KEY
    assert directive.keys[1].algorithm == from_text("hmac-sha384.")
    assert SECRET not in repr(directive)
    assert "not a real" not in repr(directive)


def test_keys_from_a_file() -> None:
    """As named.conf has them: comments, quotes or none, one line or several; cwd, not root."""
    first, second = tsig("root /elsewhere\ntsig {\nsecrets keys\n}").keys
    assert first == TsigKey(KEY.name, from_text("hmac-sha512."), OCTETS)
    assert second == TsigKey(from_text("two."), KEY.algorithm, OCTETS)


@pytest.mark.parametrize(
    ("lines", "asked", "required"),
    [
        ("", "AXFR", False),
        ("require none", "AXFR", False),
        ("require AXFR IXFR", "AXFR", True),
        ("require AXFR IXFR", "A", False),
        ("require all", "A", True),
        ("require_opcode all", "A", True),
        ("require_opcode QUERY", "A", True),
        ("require_opcode NOTIFY UPDATE", "A", False),
    ],
)
def test_what_must_be_signed(lines: str, asked: str, required: bool) -> None:
    """CoreDNS' require and require_opcode, in the block's zones only."""
    rules = tsig(f"tsig {{\n{lines}\n}}").rules
    number = {"A": 1, "AXFR": 252}[asked]
    assert rules.require(from_text("www.example.org."), number) == required
    assert not rules.require(from_text("example.net."), number)


def test_where_it_must_be_signed() -> None:
    """Its own zones instead of the block's."""
    rules = tsig("tsig sub.example.org {\nrequire all\n}").rules
    assert rules == TsigRules((from_text("sub.example.org."),), None)
    assert not rules.require(from_text("example.org."), 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f"tsig {{\nsecret a..b {SECRET}\n}}", "a key's name is a domain name"),
        (f"tsig {{\nsecret k {SECRET}!\n}}", "a key's secret is Base64"),
        ('tsig {\nsecret k ""\n}', "a key's secret is Base64"),
        (f"tsig {{\nsecret k {SECRET} hmac-md5\n}}", "no such algorithm"),
        (f"tsig {{\nsecret k {SECRET} a..b\n}}", "no such algorithm"),
        (f"tsig {{\nsecret k {SECRET}\nsecret K. {SECRET}\n}}", 'key "k." redefined'),
        (f"tsig {{\nsecret k.test {SECRET}\nsecrets keys\n}}", 'key "k.test." redefined'),
        ("tsig {\nsecrets nosuch\n}", "open nosuch: no such file or directory"),
        ("tsig {\nsecrets half\n}", "half: line 1: not a key statement"),
        ("tsig {\nsecrets other\n}", "other: line 1: not a key statement"),
        ("tsig {\nsecrets keyless\n}", "keyless: line 1: not a key statement"),
        ("tsig {\nsecrets algorithm\n}", "algorithm: line 1: no such algorithm"),
        ("tsig {\nrequire AXFR all\n}", 'unexpected token "all"'),
        ("tsig {\nrequire_opcode NOSUCH\n}", 'unexpected token "NOSUCH"'),
        ("tsig\ntsig", "only be used once"),
        ("cookies maybe", "expect 'on | off'"),
        (f"cookies {{\nsecret {HEX}00\n}}", "32 hexadecimal digits"),
        (f"cookies {{\nsecret {HEX[:-1]}x\n}}", "32 hexadecimal digits"),
        ("cookies {\nsecrets empty\n}", "empty: no secret in it"),
        ("cookies {\nsecrets nohex\n}", "nohex:1: a cookie secret is"),
        ("cookies {\nsecrets nosuch\n}", "open nosuch: no such file or directory"),
        ("cookies off {\nrequire\n}", "'off' and 'require' exclude one another"),
        ("cookies\ncookies off", "only be used once"),
    ],
)
def test_refused(body: str, said: str) -> None:
    """What is wrong is said without showing a secret."""
    assert said in refusal(body)


@pytest.mark.parametrize(
    ("body", "mode", "secrets"),
    [
        ("cookies", "on", []),
        ("cookies on", "on", []),
        ("cookies off", "off", []),
        ("cookies {\nrequire\n}", "require", []),
        (f"cookies {{\nsecret {HEX} {HEX[::-1]}\nsecret {HEX}\n}}", "on", [HEX, HEX[::-1]]),
        (f"cookies {{\nsecret {'0' * 32}\nsecrets cookies\n}}", "on", ["0" * 32, HEX, HEX[::-1]]),
    ],
)
def test_cookies(body: str, mode: str, secrets: list[str]) -> None:
    """In the order written, each once; none in a repr."""
    directive = cookies(body)
    assert directive.mode == mode
    assert [secret.hex() for secret in directive.secrets] == secrets
    assert "secrets" not in repr(directive)


def test_a_file_of_secrets_is_part_of_the_corefile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is changed in its file is taken up like a change of the Corefile."""

    def fingerprint() -> str:
        text = "example.org {\nwhoami\ntsig {\nsecrets keys\n}\ncookies {\nsecrets cookies\n}\n}"
        corefile = parse_text(text, read=read, environ={}, cwd="/run")
        assert corefile.files[1:] == ("/run/keys", "/run/cookies")
        return corefile.fingerprint

    before = fingerprint()
    assert fingerprint() == before
    monkeypatch.setitem(FILES, "/run/keys", FILES["/run/keys"].replace("two.", "three."))
    assert fingerprint() != before
