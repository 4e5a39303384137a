"""wire.tsig against dnspython's: each side signs, the other verifies (RFC 8945)."""

from __future__ import annotations

import hashlib
import hmac
import struct

import dns.message
import dns.name
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import pytest

from ocizone.wire.codes import BADKEY, BADSIG, BADTIME, BADTRUNC, FORMERR, NOERROR, NOTAUTH
from ocizone.wire.name import from_text
from ocizone.wire.query import Query, parse
from ocizone.wire.tsig import (
    ALGORITHMS,
    Failed,
    Signer,
    Tsig,
    TsigKey,
    last_tsig,
    sign_request,
    verify,
)

NOW = 1_790_000_000
SECRET = b"no secret at all, just for tests"
NAMES = ["hmac-sha256.", "hmac-sha384.", "hmac-sha512."]


def our_key(algorithm: str = "hmac-sha256.", secret: bytes = SECRET) -> TsigKey:
    return TsigKey(from_text("key.example."), from_text(algorithm), secret)


def their_key(algorithm: str = "hmac-sha256.", secret: bytes = SECRET) -> dns.tsig.Key:
    return dns.tsig.Key("KEY.example.", secret, algorithm)


def signed(
    qname: str = "www.example.",
    *,
    algorithm: str = "hmac-sha256.",
    secret: bytes = SECRET,
    time: int = NOW,
    fudge: int = 300,
    **options: object,
) -> bytes:
    """Return a query as dnspython signs it (its key's name compressed where it can be)."""
    message = dns.message.make_query(qname, "SOA", id=7, **options)  # type: ignore[arg-type]  # passed on
    message.use_tsig(their_key(algorithm, secret), fudge=fudge)
    unsigned = message.to_wire()
    assert message.tsig is not None
    rdata, _ = dns.tsig.sign(
        message_without_tsig(unsigned), their_key(algorithm, secret), message.tsig[0], time
    )
    rdatas = rdata.to_wire()
    assert rdatas is not None
    owner = dns.name.from_text("KEY.example.").to_wire()
    assert owner is not None
    record = owner + struct.pack("!HHIH", 250, 255, 0, len(rdatas)) + rdatas
    return with_record(message_without_tsig(unsigned), record)


def message_without_tsig(packet: bytes) -> bytes:
    tsig = last_tsig(packet)
    assert tsig is not None
    count = int.from_bytes(packet[10:12]) - 1
    return packet[:10] + count.to_bytes(2) + packet[12 : tsig.start]


def with_record(packet: bytes, record: bytes) -> bytes:
    count = int.from_bytes(packet[10:12]) + 1
    return packet[:10] + count.to_bytes(2) + packet[12:] + record


def tsig_of(packet: bytes) -> Tsig:
    query = parse(packet)
    assert isinstance(query, Query)
    assert query.tsig is not None
    return query.tsig


def verified(packet: bytes, key: TsigKey | None = None, now: int = NOW) -> Signer | Failed:
    key = key or our_key()
    return verify(packet, tsig_of(packet), {key.name: key}, now)


@pytest.mark.parametrize("algorithm", NAMES)
def test_what_dnspython_signs_is_verified(algorithm: str) -> None:
    """RFC 8945 4.3.2, 4.3.3: header, question, OPT and the TSIG's own variables."""
    key = our_key(algorithm)
    signer = verified(signed(algorithm=algorithm, use_edns=0), key)
    assert isinstance(signer, Signer)
    assert signer.key == key


def test_what_dnspython_signs_by_itself_is_verified() -> None:
    """It compresses the key's name against the question; its clock is the real one."""
    message = dns.message.make_query("www.key.example.", "SOA")
    message.use_tsig(their_key())
    packet = message.to_wire()
    tsig = tsig_of(packet)
    assert packet[tsig.start] >= 0xC0
    assert isinstance(verified(packet, now=tsig.time), Signer)


@pytest.mark.parametrize("algorithm", NAMES)
def test_dnspython_verifies_what_we_sign(algorithm: str) -> None:
    """RFC 8945 5.3: the response is signed over the request's MAC."""
    query = dns.message.make_query("www.example.", "SOA", use_edns=0)
    query.use_tsig(their_key(algorithm))
    packet = query.to_wire()
    now = tsig_of(packet).time
    signer = verified(packet, our_key(algorithm), now)
    assert isinstance(signer, Signer)
    plain = dns.message.make_response(dns.message.from_wire(message_without_tsig(packet))).to_wire()
    response = signer.sign(plain, now)
    assert len(response) == len(plain) + signer.octets
    read = dns.message.from_wire(response, keyring=their_key(algorithm), request_mac=query.mac)
    assert read.had_tsig
    assert (read.tsig_error, read.id) == (0, query.id)


def test_a_stream_is_verified_message_by_message() -> None:
    """RFC 8945 5.3.1: later messages over the MAC before, and the timers only."""
    query = dns.message.make_query("example.", "AXFR")
    query.use_tsig(their_key())
    packet = query.to_wire()
    now = tsig_of(packet).time
    signer = verified(packet, now=now)
    assert isinstance(signer, Signer)
    plain = dns.message.make_response(dns.message.from_wire(message_without_tsig(packet))).to_wire()
    context = None
    for number in range(4):
        # Each message one second later: the timers are its own.
        read = dns.message.from_wire(
            signer.sign(plain, now + number),
            keyring=their_key(),
            request_mac=query.mac,
            xfr=True,
            tsig_ctx=context,
            multi=True,
        )
        assert read.had_tsig
        context = read.tsig_ctx


def failure(packet: bytes, **options: object) -> Failed:
    failed = verified(packet, **options)  # type: ignore[arg-type]  # passed on
    assert isinstance(failed, Failed)
    return failed


def test_an_unknown_key_is_badkey_and_the_response_is_not_signed() -> None:
    """RFC 8945 5.2.1, 5.3.2: a TSIG with an empty MAC."""
    failed = failure(signed(), key=TsigKey(from_text("other."), from_text(NAMES[0]), SECRET))
    assert (failed.rcode, failed.error) == (NOTAUTH, BADKEY)
    assert failed.signer is not None
    reply = failed.signer.sign(bytes(12), NOW)
    assert len(reply) == 12 + failed.signer.octets
    tsig = last_tsig(reply)
    assert tsig is not None
    assert (tsig.mac, tsig.error, tsig.key) == (b"", BADKEY, from_text("key.example."))


@pytest.mark.parametrize("algorithm", ["hmac-sha512.", "hmac-sha1.", "hmac-md5.sig-alg.reg.int."])
def test_a_key_has_one_algorithm(algorithm: str) -> None:
    """RFC 8945 5.2.1: "If the name or algorithm ... unknown": BADKEY (CVE-2025-40775)."""
    failed = failure(signed(algorithm=algorithm))
    assert (failed.rcode, failed.error) == (NOTAUTH, BADKEY)


def test_another_secret_is_badsig_and_the_response_is_not_signed() -> None:
    """RFC 8945 5.2.2, 5.3.2."""
    failed = failure(signed(secret=b"another"))
    assert (failed.rcode, failed.error) == (NOTAUTH, BADSIG)
    assert failed.signer is not None
    assert failed.signer.key is None


def test_every_octet_is_signed() -> None:
    """A changed octet anywhere makes BADSIG, BADKEY, BADTIME or another message; never a Signer.

    The letters of the key's and the algorithm's name are the exception: they have no case. So
    are the id, which a forwarder may change, and what is not part of the digest: error and other
    data are.
    """
    packet = signed(use_edns=0)
    key = our_key()
    good = []
    for at in range(len(packet)):
        changed = packet[:at] + bytes([packet[at] ^ 0x20]) + packet[at + 1 :]
        query = parse(changed)
        if isinstance(query, Query) and query.tsig is not None:
            result = verify(changed, query.tsig, {key.name: key}, NOW)
            if isinstance(result, Signer):
                good.append(at)
    start = tsig_of(packet).start
    letters = {at for at in range(start, start + 13) if packet[at : at + 1].isalpha()}
    name = start + 13 + 10
    letters |= {at for at in range(name, name + 13) if packet[at : at + 1].isalpha()}
    assert set(good) == {0, 1} | letters


@pytest.mark.parametrize(
    ("offset", "right"), [(-301, False), (-300, True), (300, True), (301, False)]
)
def test_the_fudge(offset: int, right: bool) -> None:
    """RFC 8945 5.2.3: the client's window, either side, the bounds within it."""
    assert isinstance(verified(signed(), now=NOW + offset), Signer) == right


def test_badtime_is_signed_and_says_what_time_it_is() -> None:
    """RFC 8945 5.2.3: signed over the client's time, our own in other data; Y2106 fits."""
    now = 2**32 + 5
    packet = signed(fudge=9)
    failed = failure(packet, now=now)
    assert (failed.rcode, failed.error) == (NOTAUTH, BADTIME)
    assert failed.signer is not None
    tsig = last_tsig(failed.signer.sign(bytes(12), now))
    assert tsig is not None
    assert (tsig.time, tsig.fudge, tsig.error) == (NOW, 9, BADTIME)
    assert int.from_bytes(tsig.other) == now
    asked = tsig_of(packet).mac
    expected = hmac.digest(
        SECRET, len(asked).to_bytes(2) + asked + bytes(12) + tsig.owner_and_variables, "sha256"
    )
    assert tsig.mac == expected


def cut(packet: bytes, octets: int) -> bytes:
    """Return a signed packet with its MAC cut to so many octets."""
    tsig = tsig_of(packet)
    short = Tsig(0, tsig.key, tsig.algorithm, tsig.time, tsig.fudge, tsig.mac[:octets], 7)
    return short.appended_to(message_without_tsig(packet))


@pytest.mark.parametrize(
    ("octets", "rcode", "error"),
    [(0, FORMERR, 0), (10, FORMERR, 0), (15, FORMERR, 0), (16, NOTAUTH, BADTRUNC),
     (31, NOTAUTH, BADTRUNC)],
)  # fmt: skip
def test_a_truncated_mac(octets: int, rcode: int, error: int) -> None:
    """RFC 8945 5.2.2.1: less than half is FORMERR; 5.2.4: policy is BADTRUNC, and signed."""
    failed = failure(cut(signed(), octets))
    assert (failed.rcode, failed.error) == (rcode, error)
    assert (failed.signer is None) == (rcode == FORMERR)
    assert failed.signer is None or failed.signer.key == our_key()


def test_a_mac_too_long_is_formerr() -> None:
    """RFC 8945 5.2.2.1: "greater than the length of the hash"."""
    tsig = tsig_of(signed())
    long = Tsig(0, tsig.key, tsig.algorithm, NOW, 300, tsig.mac + b"x", 7)
    packet = long.appended_to(message_without_tsig(signed()))
    assert (failure(packet).rcode, failure(packet).signer) == (FORMERR, None)


def test_a_wrong_truncated_mac_is_badsig() -> None:
    """RFC 8945 5.2: the MAC is checked before the truncation policy."""
    assert failure(cut(signed(secret=b"another"), 16)).error == BADSIG


def test_the_original_id_is_what_was_signed() -> None:
    """RFC 8945 4.3.2: a forwarder changed the id; the response has the new one."""
    packet = b"\x12\x34" + signed()[2:]
    signer = verified(packet)
    assert isinstance(signer, Signer)
    tsig = last_tsig(signer.sign(b"\x12\x34" + bytes(10), NOW))
    assert tsig is not None
    assert tsig.original_id == 0x1234


# --- As a client -----------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", NAMES)
def test_dnspython_verifies_our_requests_and_we_its_responses(algorithm: str) -> None:
    """RFC 8945 5.1, 5.4: NOTIFY and its answer."""
    plain = dns.message.make_query("example.", "SOA").to_wire()
    import time  # noqa: PLC0415 - only here: dnspython's clock cannot be injected

    now = int(time.time())
    request, verifier = sign_request(plain, our_key(algorithm), now)
    asked = dns.message.from_wire(request, keyring=their_key(algorithm))
    assert asked.had_tsig
    answer = dns.message.make_response(asked).to_wire()
    assert verifier.verify(answer, now)
    assert not verifier.verify(answer, now + 1_000)
    assert not verifier.verify(answer[:-1] + b"x", now)
    assert not verifier.verify(message_without_tsig(answer), now)
    assert not verifier.verify(request, now)


def test_a_response_with_a_tsig_error_is_not_verified() -> None:
    """RFC 8945 5.4: the server says why."""
    request, verifier = sign_request(bytes(4) + b"\x00\x00" * 4, our_key(), NOW)
    tsig = last_tsig(request)
    assert tsig is not None
    signer = Signer(our_key(), tsig, BADTIME, NOW.to_bytes(6))
    assert not verifier.verify(signer.sign(bytes(12), NOW), NOW)
    signer = Signer(our_key(), tsig, NOERROR)
    assert verifier.verify(signer.sign(bytes(12), NOW), NOW)


def test_another_key_or_algorithm_is_not_verified() -> None:
    """RFC 8945 5.4: only the key the request was signed with."""
    request, verifier = sign_request(bytes(12), our_key(), NOW)
    tsig = last_tsig(request)
    assert tsig is not None
    for key in (
        TsigKey(from_text("other."), from_text(NAMES[0]), SECRET),
        TsigKey(from_text("key.example."), from_text(NAMES[2]), SECRET),
    ):
        asked = Tsig(0, key.name, key.algorithm, NOW, 300, tsig.mac, 0)
        assert not verifier.verify(Signer(key, asked).sign(bytes(12), NOW), NOW)


@pytest.mark.parametrize("cut_at", range(0, 120, 3))
def test_half_a_response_has_no_tsig(cut_at: int) -> None:
    """Any octets: truncated anywhere."""
    packet = signed()
    assert last_tsig(packet) is not None
    assert last_tsig(packet[: min(cut_at, len(packet) - 1)]) is None


def test_no_secret_in_a_repr() -> None:
    """Reprs get into logs and tracebacks."""
    assert "secret" not in repr(our_key())
    assert "secret" not in repr(verified(signed()))


def test_the_algorithms_are_hashes_python_has() -> None:
    """mac_octets is the length of what mac returns."""
    for name, hashed in ALGORITHMS.items():
        key = TsigKey(b"\x00", name, b"x")
        assert key.mac_octets == len(key.mac(b"")) == hashlib.new(hashed).digest_size
