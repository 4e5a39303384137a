"""The metric of certificates: one series an address, read when it is scraped."""

from __future__ import annotations

from ocizone.observe.expiries import Expiries


def test_until_when_each_certificate_is_good():
    """An address that is closed leaves no series behind."""
    known = {"tls://:853": 1_800_000_000.0}
    collector = Expiries(lambda: known)
    (family,) = collector.collect()
    assert [(one.name, one.labels, one.value) for one in family.samples] == [
        (
            "ocizone_tls_certificate_not_after_timestamp_seconds",
            {"server": "tls://:853"},
            1_800_000_000.0,
        )
    ]
    known.clear()
    (family,) = collector.collect()
    assert family.samples == []
