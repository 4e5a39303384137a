"""wire.cookie: the vectors of RFC 9018 appendix A, and how cookies age."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from ocizone.wire.cookie import CookieSecrets, check

OLD = CookieSecrets((bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf"),))
NEW = CookieSecrets((bytes.fromhex("445536bcd2513298075a5d379663c962"),))
ASKED = bytes.fromhex("2464c4abcf10c957")
V4 = ip_address("198.51.100.100").packed


def test_a_first_cookie() -> None:
    """RFC 9018 A.1: learning a new server cookie."""
    cookie = check(ASKED, V4, 1559731985, OLD)
    assert cookie.state == "new"
    assert cookie.reply.hex() == "2464c4abcf10c957010000005cf79f111f8130c3eee29480"


def test_a_renewed_cookie() -> None:
    """RFC 9018 A.2: 40 minutes old: valid, and answered with a fresh one."""
    client = ip_address("198.51.100.100").packed
    had = bytes.fromhex("2464c4abcf10c957010000005cf79f111f8130c3eee29480")
    cookie = check(had, client, 1559734385, OLD)
    assert cookie.state == "valid"
    assert cookie.reply.hex() == "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"


def test_another_client() -> None:
    """RFC 9018 A.3: reserved octets may say anything; a cookie of another address is bad."""
    had = bytes.fromhex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5")
    client = ip_address("203.0.113.203").packed
    assert check(had, client, 1559727985, OLD).state == "valid"
    assert check(had, client, 1559727985, OLD).reply == had
    assert check(had, V4, 1559727985, OLD).state == "bad"


def test_ipv6_and_a_new_secret() -> None:
    """RFC 9018 A.4: made with the old secret, valid while it is kept, answered with the new one."""
    client = ip_address("2001:db8:220:1:59de:d0f4:8769:82b8").packed
    had = bytes.fromhex("22681ab97d52c298010000005cf7c57926556bd0934c72f8")
    before = CookieSecrets((bytes.fromhex("dd3bdf9344b678b185a6f5cb60fca715"),))
    both = CookieSecrets(NEW.secrets + before.secrets)
    cookie = check(had, client, 1559741961, both)
    assert cookie.state == "valid"
    assert cookie.reply.hex() == "22681ab97d52c298010000005cf7c609a6bb79d16625507a"
    assert check(had, client, 1559741961, before).reply == had
    assert check(had, client, 1559741961, NEW).state == "bad"


@pytest.mark.parametrize("now", [1_790_000_000, 2**31 - 1, 2**31 + 10, 2**32 - 1, 2**32 + 10])
@pytest.mark.parametrize(
    ("age", "state", "same"),
    [(-301, "bad", False), (-300, "valid", True), (0, "valid", True), (1800, "valid", True),
     (1801, "valid", False), (3600, "valid", False), (3601, "bad", False)],
)  # fmt: skip
def test_how_a_cookie_ages(now: int, age: int, state: str, same: bool) -> None:
    """RFC 9018 4.3: an hour back, five minutes ahead, renewed after half an hour; 2038, 2106."""
    had = check(ASKED, V4, now - age, OLD).reply
    cookie = check(had, V4, now, OLD)
    assert (cookie.state, cookie.reply == had) == (state, same)
    assert check(cookie.reply, V4, now, OLD).state == "valid"


@pytest.mark.parametrize("octets", range(48))
def test_lengths(octets: int) -> None:
    """RFC 7873 5.2.2: 8, or 16 to 40; of those, a version 1 server cookie has 16."""
    cookie = check(bytes(octets), V4, 0, OLD)
    if octets == 8:
        assert cookie.state == "new"
    elif 16 <= octets <= 40:
        assert cookie.state == "bad"
        assert len(cookie.reply) == 24
    else:
        assert (cookie.state, cookie.reply) == ("malformed", b"")


def test_every_octet_counts() -> None:
    """A changed octet makes a bad cookie; of reserved ones too, as they are hashed."""
    had = check(ASKED, V4, 1559731985, OLD).reply
    for at in range(len(had)):
        changed = had[:at] + bytes([had[at] ^ 1]) + had[at + 1 :]
        assert check(changed, V4, 1559731985, OLD).state == "bad"


def test_no_secret_in_a_repr() -> None:
    """Reprs get into logs and tracebacks."""
    assert repr(OLD) == "CookieSecrets()"
