"""The numbers of the protocol this server speaks of by name (IANA DNS parameters).

Plain integers, not enums: they are compared and hashed on every query. Not a registry of all
types: an unknown one is served like any other (RFC 3597).
"""

from __future__ import annotations

from typing import Final

# --- RR types --------------------------------------------------------------------------------
TYPE_A: Final = 1
TYPE_NS: Final = 2
TYPE_CNAME: Final = 5
TYPE_SOA: Final = 6
TYPE_PTR: Final = 12
TYPE_HINFO: Final = 13
TYPE_MX: Final = 15
TYPE_TXT: Final = 16
TYPE_AFSDB: Final = 18
TYPE_RT: Final = 21
TYPE_KEY: Final = 25
TYPE_AAAA: Final = 28
TYPE_SRV: Final = 33
TYPE_KX: Final = 36
TYPE_DNAME: Final = 39
TYPE_OPT: Final = 41
TYPE_DS: Final = 43
TYPE_RRSIG: Final = 46
TYPE_NSEC: Final = 47
TYPE_DNSKEY: Final = 48
TYPE_NSEC3: Final = 50
TYPE_NSEC3PARAM: Final = 51
TYPE_CDS: Final = 59
TYPE_CDNSKEY: Final = 60
TYPE_ZONEMD: Final = 63
TYPE_SVCB: Final = 64
TYPE_HTTPS: Final = 65
TYPE_TSIG: Final = 250
TYPE_IXFR: Final = 251
TYPE_AXFR: Final = 252
TYPE_ANY: Final = 255

# --- Classes ---------------------------------------------------------------------------------
CLASS_IN: Final = 1
CLASS_CH: Final = 3
CLASS_ANY: Final = 255

# --- Response codes --------------------------------------------------------------------------
NOERROR: Final = 0
FORMERR: Final = 1
SERVFAIL: Final = 2
NXDOMAIN: Final = 3
NOTIMP: Final = 4
REFUSED: Final = 5
YXDOMAIN: Final = 6
NOTAUTH: Final = 9
BADVERS: Final = 16
# In a TSIG's error field alone: 16 is BADVERS elsewhere (RFC 8945 3).
BADSIG: Final = 16
BADKEY: Final = 17
BADTIME: Final = 18
BADTRUNC: Final = 22
BADCOOKIE: Final = 23

# --- EDNS options (RFC 6891 9) and extended errors (RFC 8914 4) -------------------------------
OPTION_NSID: Final = 3
OPTION_EXPIRE: Final = 9
OPTION_COOKIE: Final = 10
OPTION_KEEPALIVE: Final = 11
OPTION_PADDING: Final = 12
OPTION_EDE: Final = 15
OPTION_ZONEVERSION: Final = 19
EDE_OTHER: Final = 0
EDE_NOT_READY: Final = 14
EDE_BLOCKED: Final = 15
EDE_FILTERED: Final = 17
EDE_PROHIBITED: Final = 18
EDE_NOT_AUTHORITATIVE: Final = 20
EDE_NOT_SUPPORTED: Final = 21

#: Types that are told apart in metrics and logs, and what they are called.
COMMON_TYPES: Final = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA",
    33: "SRV", 43: "DS", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 64: "SVCB",
    65: "HTTPS", 251: "IXFR", 252: "AXFR", 255: "ANY",
}  # fmt: skip
