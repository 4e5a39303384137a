"""Counters, log lines and conditions: what the program says of itself."""
