"""Following tags: when to look, what to fetch, when to deploy. Twisted."""
