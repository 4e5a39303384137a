"""Messages without our secrets, whoever sent them back to us.

A registry, a token service or a proxy knows what we told it, and may say it again where we quote
it: the host of a redirect or a realm, an error code, a warning, a broken status line. Not here:
what is never quoted at all (headers as such, bodies).
"""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from urllib.parse import quote

from ocizone import limits

_INSTEAD = "[a secret of ours]"


class Redaction:
    """The secrets of one client, those of before among them: a registry remembers."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, *secrets: str) -> None:
        """Remember secrets; one of few characters would be found in every message."""
        new = [
            one
            for one in secrets
            if len(one) >= limits.SECRET_CHARACTERS and one not in self._known
        ]
        if not new:
            return
        self._known.update(dict.fromkeys(new))
        while len(self._known) > limits.SECRETS_REMEMBERED:
            self._known.popitem(last=False)
        spellings = {
            text for one in self._known for text in (one, quote(one, ""), ascii(one)[1:-1])
        }
        # Longest first, so that nothing is left of what holds another.
        longest = sorted(spellings, key=len, reverse=True)
        # Hosts come back in lower case.
        self._pattern = re.compile("|".join(map(re.escape, longest)), re.IGNORECASE)

    def learn_basic(self, authorization: str) -> None:
        """Remember what a header of Basic authentication holds (RFC 7617 2)."""
        encoded = authorization.removeprefix("Basic ")
        pair = base64.b64decode(encoded).decode("utf-8")
        self.learn(encoded, pair, pair.partition(":")[2])

    def holds(self, text: str) -> bool:
        """Tell whether one of them is in a text."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def clean(self, text: str) -> str:
        """Return a text without them."""
        return text if self._pattern is None else self._pattern.sub(_INSTEAD, text)
