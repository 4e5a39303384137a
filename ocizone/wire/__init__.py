"""Bytes to messages and back (RFC 1035, 6891). Pure: knows no zones and no sockets."""
