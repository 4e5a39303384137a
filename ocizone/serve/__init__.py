"""Sockets that answer: UDP and TCP around the pure pipeline. Twisted."""
