"""The state directory: blobs, deployments, unpacking. Files only, no network."""
