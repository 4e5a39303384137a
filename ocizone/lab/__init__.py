"""An embedded OCI registry for the demo and the tests. Loopback only; not a product."""
