"""Which directives may listen for HTTP on one address."""

from __future__ import annotations

import pytest

from ocizone.corefile.load import parse_text
from ocizone.errors import ConfigError


def messages(*blocks: str) -> list[str]:
    """Return what is wrong with blocks of these directives; block N begins on line 3 N - 2."""
    text = "".join(f"b{n}. {{\n{lines}\n}}\n" for n, lines in enumerate(blocks))
    try:
        parse_text(text, environ={}, cwd="/srv")
    except ConfigError as error:
        return [f"{one.line}: {one.message} ({one.hint})" for one in error.problems]
    return []


@pytest.mark.parametrize(
    "blocks",
    [
        ("health :8080\nready :8080\nprometheus :8080\napi :8080 { token t }",),
        ("webhook\napi\nartifacts\nhealth\nready\nprometheus",),
        ("webhook { secret s }", "webhook { secret s }"),
        ("webhook", "webhook"),
        ("api { token t }", "api { token /srv/t }"),
        ("artifacts", "artifacts"),
        ("webhook 127.0.0.1:0", "artifacts 127.0.0.1:0"),
        ("webhook 127.0.0.1:80 { secret a }", "webhook 127.0.0.2:80 { secret b }"),
    ],
)
def test_may_share(blocks: tuple[str, ...]):
    """Pages may; the same in two blocks is one."""
    assert messages(*blocks) == []


OWN = "(give each an address of its own)"


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        (("webhook\nhealth 127.0.0.1:8182",), f"plugin/webhook: health listens on 127.0.0.1:8182, too {OWN}"),
        (("webhook", "api 127.0.0.1:8182"), f"plugin/webhook: api listens on 127.0.0.1:8182, too {OWN}"),
        (("artifacts :80 ", "webhook :80 { secret s }"), f"plugin/webhook: artifacts listens on *:80, too {OWN}"),
        (("artifacts :80\nready :80",), f"plugin/artifacts: ready listens on *:80, too {OWN}"),
        (
            ("webhook { secret a }", "webhook { secret b }"),
            "plugin/webhook: 127.0.0.1:8182 has another secret at Corefile:2 (name the same file)",
        ),
        (
            ("webhook", "webhook { secret b }"),
            "plugin/webhook: 127.0.0.1:8182 has another secret at Corefile:2 (name the same file)",
        ),
        (
            ("api { token a }", "api"),
            "plugin/api: 127.0.0.1:8183 has another token at Corefile:2 (name the same file)",
        ),
    ],
)  # fmt: skip
def test_may_not_share(blocks: tuple[str, ...], said: str):
    """Told when the Corefile is checked, not when the address is bound."""
    (found,) = messages(*blocks)
    assert found.partition(": ")[2] == said
