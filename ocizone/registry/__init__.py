"""Talking to OCI registries: blocking, meant for pool threads, verified throughout."""
