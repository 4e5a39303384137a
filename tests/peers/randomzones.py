"""Zones made by chance from a seed: few labels, so that names meet, nest and cover each other.

The same seed gives the same zone everywhere, so a failure is reproduced by its seed. What zones
leave undefined is avoided: wildcard NS and DNAME (RFC 4592 4.2 and 4.4), data below a DNAME
(RFC 6672 2.4). Data below cuts is glue only.
"""

from __future__ import annotations

from random import Random

from tests.peers.zonetexts import apex

_LABELS = ("a", "b", "c", "d", "ab", "B", "*", "a", "b", "x-1")
_NAMES = 45


def zone(
    seed: int | Random,
    foreign: tuple[str, ...] = ("www.other.test.", "outside.invalid."),
    names_tried: int = _NAMES,
) -> str:
    """Return the records of a random zone, relative to its origin.

    Args:
        seed: decides everything.
        foreign: absolute names that aliases may lead to.
        names_tried: how many names are made, equal ones among them.
    """
    chance = Random(seed) if isinstance(seed, int) else seed
    names = {_name(chance) for _ in range(names_tried)}
    kinds = {name: chance.choice(_KINDS) for name in sorted(names)}
    lines = [apex().rstrip("\n")]
    closed = {name for name, kind in kinds.items() if kind in ("cut", "dname") and "*" not in name}
    everything = [*sorted(names), "nothere", "a.b.nothere", "ns1", "@"]
    for name in sorted(names):
        if any(_is_below(name, other) for other in closed):
            continue
        lines += _records(chance, name, kinds[name], everything, foreign)
    return "\n".join(lines) + "\n"


_KINDS = (*("data", "data", "data", "data", "alias", "alias", "cut", "dname", "mail", "odd"),)


def _name(chance: Random) -> str:
    depth = chance.choice((1, 1, 2, 2, 2, 3, 3, 4, 5))
    return ".".join(chance.choice(_LABELS) for _ in range(depth)).lower()


def _is_below(name: str, above: str) -> bool:
    return name != above and name.endswith(f".{above}")


def _records(
    chance: Random, name: str, kind: str, names: list[str], foreign: tuple[str, ...]
) -> list[str]:
    def target() -> str:
        return chance.choice((*names, *foreign) if chance.random() < 0.3 else names)

    ttl = chance.choice((0, 60, 300, 3600))
    if kind == "alias":
        return [f"{name} {ttl} CNAME {target()}"]
    if "*" not in name:
        if kind == "dname":
            beside = [f'{name} {ttl} TXT "beside"'] if chance.random() < 0.5 else []
            return [f"{name} {ttl} DNAME {target()}", *beside]
        if kind == "cut":
            server = target()
            # Without an address below its own cut it would be a zone that is refused.
            return _cut(chance, name, ttl, "ns1" if f".{server}".endswith(f".{name}") else server)
    if kind == "mail":
        return [f"{name} {ttl} MX 10 {target()}", f"{name} {ttl} SRV 0 0 25 {target()}"]
    if kind == "odd":
        return [
            f"{name} {ttl} TYPE65280 \\# 2 {chance.randrange(65536):04x}",
            f"{name} {ttl} HTTPS {chance.choice((f'0 {_host(target())}', '1 . port=1'))}",
        ]
    lines = [f"{name} {ttl} A 192.0.2.{chance.randrange(1, 255)}"]
    if chance.random() < 0.5:
        lines.append(f"{name} {ttl} AAAA 2001:db8::{chance.randrange(1, 65536):x}")
    if chance.random() < 0.5:
        lines.append(f'{name} {ttl} TXT "{chance.randrange(1000)}"')
    return lines


def _host(name: str) -> str:
    """An AliasMode HTTPS of the apex to itself helps nobody; every parser takes ns1."""
    return "ns1" if name == "@" else name


def _cut(chance: Random, name: str, ttl: int, server: str) -> list[str]:
    lines = [f"{name} {ttl} NS {server}"]
    if chance.random() < 0.6:
        lines += [f"{name} {ttl} NS ns.{name}", f"ns.{name} {ttl} A 192.0.2.9"]
    if chance.random() < 0.5:
        digest = "".join(chance.choice("0123456789abcdef") for _ in range(64))
        lines.append(f"{name} {ttl} DS {chance.randrange(65536)} 13 2 {digest}")
    return lines
