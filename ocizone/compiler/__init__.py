"""The child process that turns a revision's blobs into an image. No Twisted, no network."""
