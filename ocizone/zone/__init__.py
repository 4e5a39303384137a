"""Zones: read, check, build, look up. Pure: knows no messages and no sockets."""
