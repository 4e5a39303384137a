"""The memo: bounded, and what is asked often stays."""

from __future__ import annotations

import pytest

memo_module = pytest.importorskip("ocizone.fastpath.memo")
tally = pytest.importorskip("ocizone.fastpath.tally")


def key(number: int) -> bytes:
    return b"question %d" % number


def test_asked_again_is_the_second_time():
    """A name asked once does not get in."""
    memo = memo_module.Memo()
    assert not memo.is_asked_again(key(1))
    assert memo.is_asked_again(key(1))


def test_what_is_asked_again_is_never_lost(monkeypatch: pytest.MonkeyPatch):
    """However many others come between, as long as it is asked once a generation."""
    monkeypatch.setattr(memo_module, "FAST_MEMO_ENTRIES", 10)
    memo = memo_module.Memo()
    hot = (b"hot", [0])
    memo.put(key(0), hot)
    for number in range(1, 100):
        memo.put(key(number), (b"cold", [0]))
        if number % 5 == 0:
            assert (memo.young.get(key(0)) or memo.get(key(0))) == hot
    assert memo.get(key(50)) is None


OCTETS = len(key(100) + b"rest")


@pytest.mark.parametrize(("entries", "octets"), [(10, 10**9), (10**9, 10 * OCTETS)])
def test_both_generations_are_bounded(monkeypatch: pytest.MonkeyPatch, entries: int, octets: int):
    """By number and by octets: of many, ten to twenty are there."""
    monkeypatch.setattr(memo_module, "FAST_MEMO_ENTRIES", entries)
    monkeypatch.setattr(memo_module, "FAST_MEMO_OCTETS", octets)
    memo = memo_module.Memo()
    for number in range(100, 1000):
        memo.put(key(number), (b"rest", [0]))
        assert len(memo.young) <= 10
    assert key(999) in memo.young
    assert memo.get(key(979)) is None
    assert memo.get(key(100)) is None


def test_cells_are_bounded_and_still_count(monkeypatch: pytest.MonkeyPatch):
    """Beyond the bound a zone has one more for each rcode, of any type."""
    monkeypatch.setattr(tally, "FAST_CELLS", 2)
    cells = tally.Cells()

    def labels(qtype: int, octets: int = 60):
        return tally.Labels(b"\0", qtype, 0, False, 40, octets)

    first, second = cells.of(labels(1)), cells.of(labels(2))
    assert cells.of(labels(1)) is first
    late = cells.of(labels(15))
    assert late is cells.of(labels(16, 70))
    first[0] += 2
    late[0] += 1
    assert cells.take() == [(labels(1), 2), (labels(tally.OTHER_TYPE), 1)]
    assert cells.take() == []
    assert second == [0]


def test_rare_types_share_a_cell():
    """There are 65,536 types, and metrics name some twenty."""
    cells = tally.Cells()
    found = {
        id(cells.of(tally.Labels(b"\0", qtype, 0, False, 40, 60))) for qtype in range(300, 400)
    }
    assert len(found) == 1
