"""Health, readiness, metrics, and the control socket. Twisted."""
