"""Reading what dnsperf prints."""

from __future__ import annotations

import pytest

from bench.drive import Counts, Drive, Saturated, parse, parse_latencies, percentile
from bench.processes import Cpu
from bench.rounds import latency

PRINTED = """\
DNS Performance Testing Tool
Version 2.10.0

[Status] Sending queries (to 127.0.0.1:19053)
> NXDOMAIN x1.example.org A 0.000100
> NOERROR www.example.org A 0.000090
> T lost.example.org A
> NOERROR example.org SOA 0.000021
[Timeout] Query timed out: msg id 35886
[Status] Testing complete (time limit)

Statistics:

  Queries sent:         451812
  Queries completed:    451807 (100.00%)
  Queries lost:         5 (0.00%)

  Response codes:       NOERROR 225903 (50.00%), NXDOMAIN 225904 (50.00%)
  Average packet size:  request 34, response 63
  Run time (s):         2.003159
  Queries per second:   225547.248122
"""


def test_statistics():
    """Each figure is read from its own line."""
    assert parse(PRINTED) == Counts(
        451812, 451807, 5, 2.003159, {"NOERROR": 225903, "NXDOMAIN": 225904}, 63
    )


def test_no_answer_at_all():
    """A run without answers has no line of response codes."""
    text = PRINTED.replace("  Response codes:       NOERROR 225903", "  x")
    assert parse(text).rcodes == {}


def test_no_statistics():
    """What dnsperf says instead of statistics is in the error."""
    with pytest.raises(ValueError, match="no sent:\nError: unable to connect"):
        parse("Error: unable to connect")


def test_latencies():
    """Only answered queries have one; they come back in order."""
    assert parse_latencies(PRINTED) == [0.000021, 0.00009, 0.0001]


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.5, 51.0), (0.99, 100.0), (0.999, 100.0)]
)
def test_percentile(share, value):
    """The nearest rank, never beyond the last."""
    assert percentile([float(n) for n in range(1, 101)], share) == value


def test_percentile_of_nothing():
    """There is none."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_latency_of_a_run():
    """Percentiles are microseconds; loss comes from the statistics."""
    assert latency(PRINTED) == {
        "sent": 451812, "lost": 5, "p50_us": 90, "p99_us": 100, "p999_us": 100, "max_us": 100,
    }  # fmt: skip


def test_queries_per_cpu_second():
    """Answered queries over user and system time; what was lost does not count."""
    raw = Saturated(Counts(1100, 1000, 100, 2.0), Cpu(0.3, 0.2)).raw()
    assert raw["per_cpu_second"] == 2000
    assert raw["per_second"] == 500
    assert (raw["user_us"], raw["system_us"]) == (300, 200)


def test_command_goes_through_a_file_once(tmp_path):
    """Names that are unique in the file are so for the server."""
    command = Drive(core=0).command(5300, tmp_path, 2, tcp=True, dnssec=True, rate=7)
    text = " ".join(command)
    assert " -n 1 " in text
    assert text.endswith("-m tcp -D -Q 7 -v")
    plain = Drive(core=0).command(5300, tmp_path, 2, tcp=False, dnssec=False)
    assert plain[-1] == "-e"
