"""Rows of load figures."""

from __future__ import annotations

from bench.load import COLUMNS, table_row

MIB = 1024 * 1024


def test_row_of_one_process():
    """Memory is in MiB, times are medians."""
    row = table_row(
        {
            "server": "ocizone", "cold_s": 1.234, "compile_s": 1.0, "compile_cpu_s": 0.5,
            "compile_peak": 100 * MIB, "image": 80 * MIB, "changed_s": [0.1, 0.3, 0.2],
            "restart_s": [0.5], "resident": 90 * MIB, "map": 60 * MIB, "beyond": 30 * MIB,
        }
    )  # fmt: skip
    assert row == [
        "ocizone", "1.23", "1.00 / 0.50 / 100.0", "80.0", "0.20", "0.50", "90.0", "60.0", "30.0",
    ]  # fmt: skip
    assert len(row) == len(COLUMNS)


def test_row_of_a_worker():
    """It has memory and the restart of all; what it does not do is empty."""
    row = table_row(
        {
            "server": "ocizone, a worker of 2", "restart_s": [0.5], "resident": 50 * MIB,
            "map": 30 * MIB, "beyond": 18 * MIB,
        }
    )  # fmt: skip
    assert row == ["ocizone, a worker of 2", "", "", "", "", "0.50", "50.0", "30.0", "18.0"]


def test_row_of_a_failure():
    """It says why, in as many cells."""
    row = table_row({"server": "NSD", "failed": "too much"})
    assert row[:2] == ["NSD", "failed: too much"]
    assert len(row) == len(COLUMNS)
