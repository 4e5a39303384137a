"""Zones written by hand to be hard to answer from; ``$ORIGIN`` is added by zonesets.

Each function returns the records of one zone, names relative to its origin, so that the same
content can be served plain and signed in several ways. A line ``;DS child.example.test.``
stands for the DS records of a signed child. Not here: random zones (randomzones).
"""

from __future__ import annotations

_L63 = "a" * 63


def apex(serial: int = 7) -> str:
    """Return the SOA (TTL above MINIMUM, so that RFC 2308 3 shows) and two NS."""
    return f"""\
$TTL 3600
@ IN SOA ns1 hostmaster.example.net. {serial} 7200 900 1209600 300
@ IN NS ns1
@ IN NS NS2
ns1 IN A 192.0.2.1
ns1 IN AAAA 2001:db8::1
ns2 IN A 192.0.2.2
"""


def types() -> str:
    """Aliases of every kind, types old and new, mixed case, escapes, long names."""
    return (
        apex()
        + f"""\
@ MX 10 mail
@ A 192.0.2.10
@ TXT "apex" "of the zone"
@ CAA 0 issue "ca.example.net"
MAIL A 192.0.2.25
MAIL AAAA 2001:db8::25
www CNAME web
web A 192.0.2.80
web A 192.0.2.81
web AAAA 2001:db8::80
out CNAME outside.invalid.
dangle CNAME nothere
self CNAME self
loopa CNAME loopb
loopb CNAME loopa
towild CNAME foo.wild
toent CNAME ent
todeleg CNAME host.sub
tocut CNAME sub
toother CNAME www.other.test.
toothernx CNAME nx.other.test.
toothernodata CNAME ent.other.test.
tochild CNAME www.child.example.test.
*.wild A 192.0.2.99
*.wild MX 10 mail
*.wild TXT "wild"
x.wild TXT "explicit"
y.x.wild TXT "deep"
a.b.ent TXT "below an empty non-terminal"
srv SRV 0 5 80 web
srv SRV 0 6 81 out
_sip._udp SRV 0 0 5060 MAIL
_sip._udp SRV 1 0 5060 _sip._udp
caa CAA 0 issue "letsencrypt.example"
caa CAA 128 iodef "mailto:a@example.net"
https HTTPS 1 . alpn=h2 ipv4hint=192.0.2.80
https A 192.0.2.82
https AAAA 2001:db8::82
httpsalias HTTPS 0 web
httpsdeep HTTPS 0 https
svc SVCB 1 web port=53
svc SVCB 2 . port=853
_dns.svc SVCB 1 web alpn=dot
naptr NAPTR 100 10 "S" "SIP+D2U" "" _sip._udp
naptr NAPTR 102 10 "A" "" "" web
hinfo HINFO "CPU" "OS"
unknown TYPE65280 \\# 4 0A000001
unknown TYPE65281 \\# 0
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
sshfp SSHFP 1 1 dd465c09cfa51fb45020cc83316fff21b9ec74ac
tlsa TLSA 3 1 1 d2abde240d7cd3ee6b4b28c54df034b9d2abde240d7cd3ee6b4b28c54df034b9
rp RP mbox txt
afsdb AFSDB 1 web
kx KX 1 web
ptr PTR web
uri URI 10 1 "https://www.example.net/"
MiXeD TXT "case"
mixedcn CNAME WeB
dots\\.in\\.label A 192.0.2.200
\\000nul A 192.0.2.201
sp\\032ace A 192.0.2.202
hi\\255gh A 192.0.2.206
{_L63}.{_L63}.{_L63}.{"c" * 44} A 192.0.2.203
ttls 0 A 192.0.2.205
ttls 60 TXT "sixty"
ttls 86400 AAAA 2001:db8::205
@ CDS 0 0 0 00
@ CDNSKEY 0 3 0 AA==
"""
        + delegations()
    )


def delegations() -> str:
    """Cuts with and without DS and glue, nested, occluding, and a child that is served here."""
    return """\
sub NS ns1.sub
sub NS ns.else.invalid.
sub NS ns1
sub DS 12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE123456781234567812345678
ns1.sub A 192.0.2.53
ns1.sub AAAA 2001:db8::53
noglue NS ns.nowhere.invalid.
sibling NS ns1.sub
siblings NS ns1.sub
siblings NS ns.deep.nest
siblings NS mail
deep.nest NS ns.deep.nest
ns.deep.nest A 192.0.2.77
manyns NS ns1.manyns
manyns NS ns2.manyns
manyns NS ns3.manyns
ns1.manyns A 192.0.2.31
ns2.manyns A 192.0.2.32
ns2.manyns AAAA 2001:db8::32
ns3.manyns A 192.0.2.33
insecure NS ns.insecure
ns.insecure A 192.0.2.34
z.insecure2 NS ns1
secure NS ns1
secure DS 4711 8 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE123456781234567812345678
secure DS 4712 13 1 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE
*.side.sub2 TXT "a wildcard beside a cut"
cut.side.sub2 NS ns1
child NS ns1.child
ns1.child A 192.0.2.111
;DS child.example.test.
unsigned NS ns1.unsigned
ns1.unsigned A 192.0.2.112
"""


def occluded() -> str:
    """Names below cuts that are neither glue nor delegated, and a cut below a cut."""
    return """\
host.sub A 192.0.2.66
host.sub TXT "occluded"
*.sub TXT "an occluded wildcard"
nest2 NS ns.nest2
ns.nest2 A 192.0.2.78
inner.nest2 NS ns.inner.nest2
ns.inner.nest2 A 192.0.2.79
mxbelow MX 10 host.sub
mxglue MX 10 ns1.sub
"""


def child() -> str:
    """A delegated zone served beside its parent."""
    return """\
$TTL 300
@ IN SOA ns1 hostmaster.example.net. 3 7200 900 1209600 600
@ NS ns1
@ TXT "child's apex"
ns1 A 192.0.2.111
www A 192.0.2.113
back CNAME www.example.test.
*.w TXT "wild"
"""


def other() -> str:
    """What the aliases of other zones lead to."""
    return """\
$TTL 300
@ IN SOA ns1 hostmaster.example.net. 4 7200 900 1209600 60
@ NS ns1
@ NS ns1.example.test.
@ A 192.0.2.120
ns1 A 192.0.2.121
www A 192.0.2.122
x A 192.0.2.123
y CNAME x
a.ent TXT "below"
*.w TXT "wild"
*.w A 192.0.2.124
deleg NS ns.deleg
ns.deleg A 192.0.2.125
back CNAME www.example.test.
"""


def big() -> str:
    """RRsets that do not fit: over 512, 1232 and 4096 octets, and near 64 KiB."""
    lines = [apex()]
    lines += [f"a600 A 10.{i >> 8}.{i & 255}.1" for i in range(600)]
    lines += [f"a30 A 10.1.{i}.1" for i in range(30)]
    lines += [f"aaaa100 AAAA 2001:db8::{i:x}" for i in range(100)]
    lines += [f'txt20 TXT "{i:04d}{"x" * 200}"' for i in range(20)]
    lines += [f'txt64k TXT "{i:04d}{"x" * 200}"' for i in range(280)]
    lines += ['txt4k TXT "' + '" "'.join([f"{i:04d}{'y' * 240}" for i in range(15)]) + '"']
    lines += [f"mx39 MX {i} m{i}" for i in range(1, 40)]
    lines += [f"m{i} A 192.0.2.{i}" for i in range(1, 40)]
    lines += [f"m{i} AAAA 2001:db8:1::{i:x}" for i in range(1, 40)]
    lines += [f"ns40 NS ns{i}.ns40" for i in range(1, 41)]
    lines += [f"ns{i}.ns40 A 192.0.2.{i}" for i in range(1, 41)]
    lines += [f"ns13 NS ns{i}.ns13" for i in range(1, 14)]
    lines += [f"ns{i}.ns13 A 192.0.2.{i}" for i in range(1, 14)]
    lines += [f"ns{i}.ns13 AAAA 2001:db8:2::{i:x}" for i in range(1, 14)]
    lines += [f"c{i} CNAME c{i + 1}" for i in range(7)]
    lines += ["c7 A 192.0.2.7", "tobig CNAME a600", "tomid CNAME a30"]
    return "\n".join(lines) + "\n"


def dnames() -> str:
    """DNAMEs in chains, in loops, with too long targets, beside other data and wildcards."""
    return (
        apex()
        + f"""\
one DNAME two
two DNAME three
three DNAME four
host.four A 192.0.2.40
*.wild.four TXT "under four"
ent.deep.four TXT "below an empty non-terminal"
cn.four CNAME host.four
cut.four NS ns.cut.four
ns.cut.four A 192.0.2.44
mixed DNAME four
mixed A 192.0.2.41
mixed TXT "beside a DNAME"
mixed MX 10 host.four
loop1 DNAME loop2
loop2 DNAME loop1
self DNAME self
grow DNAME x.grow
long DNAME {_L63}.{_L63}.{_L63}.{"b" * 30}
near DNAME {_L63}.{_L63}.{_L63}
up DNAME @
toother DNAME other.test.
toothernx DNAME nx.other.test.
toapex DNAME @
out DNAME outside.invalid.
root DNAME .
todeleg DNAME cut.four
tochain DNAME chain
chain DNAME toother
d.ent.above DNAME four
cnd CNAME host.one
cndlong CNAME {"x" * 60}.long
cndself CNAME a.self
cndmixed CNAME mixed
*.star CNAME host.one
*.beside TXT "wildcard beside a DNAME"
d.beside DNAME four
mxd MX 10 host.one
nsd NS host.one
srvd SRV 0 0 1 host.one
"""
    )


def dname_apex(target: str) -> str:
    """Return a zone that is redirected as a whole (RFC 6672 2.3: the apex keeps its data)."""
    return f"""\
$TTL 300
@ IN SOA ns1.example.test. hostmaster.example.net. 5 7200 900 1209600 60
@ NS ns1.example.test.
@ DNAME {target}
@ MX 10 mail.example.test.
"""


def wildcards(origin: str, longest: int) -> str:
    """Wildcards, deep ones, nested ones, and everything that blocks them (RFC 4592).

    Args:
        origin: of the zone.
        longest: octets of the longest name; dnssec-signzone needs 2 to spare for NSEC3.
    """
    used = sum(len(label) + 1 for label in origin.rstrip(".").split(".")) + 1
    deepest = ".".join("d" * ((longest - 2 - used) // 2))
    return (
        apex()
        + f"""\
*.w A 192.0.2.50
*.w AAAA 2001:db8::50
*.w MX 10 host
*.w SRV 0 0 80 host
*.w TXT "wild"
*.w HTTPS 1 . port=8443
host A 192.0.2.51
host.w A 192.0.2.52
a.ent.w TXT "blocks"
cut.w NS ns.cut.w
ns.cut.w A 192.0.2.53
dn.w DNAME host
*.cn CNAME host
*.cnw CNAME other.w
*.cnout CNAME outside.invalid.
*.cnnx CNAME nothere
*.cnent CNAME ent
*.cncut CNAME a.cut.w
*.cnself CNAME z.cnself
*.cnloop CNAME z.cnloop2
*.cnloop2 CNAME z.cnloop
*.cnother CNAME www.other.test.
*.cnowild CNAME foo.w.other.test.
x.ent TXT "below"
*.*.double TXT "double"
a.*.middle TXT "in the middle"
*.a.*.middle TXT "both"
*.a.b.c.d.e.f.g TXT "deep"
*.x.a.b.c.d.e.f.g A 192.0.2.54
*.{deepest} TXT "as deep as names go"
*.{_L63}.{_L63} TXT "long"
*.onlyent.blocked TXT "below an empty non-terminal"
*.blocked TXT "above it"
sub*.notwild TXT "an asterisk that is none"
*x.notwild TXT "nor this"
**.notwild TXT "nor that"
\\*.escaped TXT "the same as unescaped"
*.UPPER TXT "case"
*.ttl 0 A 192.0.2.56
"""
    )


def wildcard_apex() -> str:
    """A wildcard right below the apex covers everything that is not there."""
    return (
        apex()
        + """\
* A 192.0.2.60
* TXT "everything"
* MX 10 mail
mail A 192.0.2.61
a.b.c TXT "two empty non-terminals"
sub NS ns.sub
ns.sub A 192.0.2.62
"""
    )


def root() -> str:
    """A root zone with delegations, a wildcard, and names of one label."""
    return """\
$TTL 86400
. IN SOA a.servers. hostmaster.servers. 9 7200 900 1209600 3600
. NS a.servers.
. NS b.servers.
a.servers. A 192.0.2.141
b.servers. A 192.0.2.142
b.servers. AAAA 2001:db8::142
com. NS a.gtld.com.
com. DS 4711 8 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE123456781234567812345678
a.gtld.com. A 192.0.2.143
org. NS a.servers.
test. NS ns1.test.
ns1.test. A 192.0.2.144
;DS test.
arpa. NS a.servers.
*.wild. TXT "wild"
single. A 192.0.2.145
dn. DNAME single.
cn. CNAME single.
"""


def tld() -> str:
    """A child of the root with delegations of its own."""
    return """\
$TTL 600
@ IN SOA ns1 hostmaster.servers. 8 7200 900 1209600 60
@ NS ns1
ns1 A 192.0.2.144
example NS ns1.example
ns1.example A 192.0.2.146
www A 192.0.2.147
"""


def reverse() -> str:
    """A reverse zone with RFC 2317 delegation."""
    return """\
$TTL 300
@ IN SOA ns1.example.test. hostmaster.example.net. 6 7200 900 1209600 60
@ NS ns1.example.test.
80 PTR web.example.test.
81 PTR web.example.test.
81 PTR mail.example.test.
0/26 NS ns1.example.test.
1 CNAME 1.0/26
*.255 PTR wild.example.test.
"""


def reverse6() -> str:
    """A reverse zone whose names are chains of empty non-terminals."""
    nibbles = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
    return f"""\
$TTL 300
@ IN SOA ns1.example.test. hostmaster.example.net. 6 7200 900 1209600 60
@ NS ns1.example.test.
1.{nibbles}.0.0.0.0.0.0.0.0 PTR ns1.example.test.
0.8.{nibbles}.0.0.0.0.0.0.0 PTR web.example.test.
f.f NS ns1.example.test.
"""
