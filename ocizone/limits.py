"""Every limit, in one place, each with its reason. Units are in the names.

Not here: defaults an operator sets in a Corefile (those stand in the directive's declaration).
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# --- Messages --------------------------------------------------------------------------------
# DNS Flag Day 2020: larger UDP answers fragment on common paths.
UDP_PAYLOAD_OCTETS: Final = 1232
# RFC 1035 4.2.1: what a client without EDNS can take.
PLAIN_UDP_OCTETS: Final = 512
# RFC 1035 4.2.2: the two-octet length prefix.
TCP_MESSAGE_OCTETS: Final = 65_535
# RFC 1035 3.1.
NAME_OCTETS: Final = 255
LABEL_OCTETS: Final = 63
# RFC 1035 3.3: a <character-string> has one octet of length.
CHARACTER_STRING_OCTETS: Final = 255
# Pointers followed for one name: it has at most 127 labels, and a sane writer points once.
NAME_POINTERS: Final = 128
# What 255 octets have room for, root not counted.
NAME_LABELS: Final = 127
# A CNAME/DNAME chain longer than any sane one; BIND stops at 16, NSD at 18.
ALIAS_CHAIN: Final = 16
# Additional-section work per answer (CVE-2024-11187: BIND settled on 13 names).
ADDITIONAL_NAMES: Final = 13

# Options of one OPT that are read: a real client sends three or four.
EDNS_OPTIONS: Final = 128
# Seconds a server cookie is valid, may seem to come from the future, and is sent back as it is
# (RFC 9018 4.3).
COOKIE_AGE_S: Final = 3_600
COOKIE_AHEAD_S: Final = 300
COOKIE_RENEWED_S: Final = 1_800
# RFC 8467 4.1: responses over TLS are padded to a multiple of this for who pads queries.
PADDED_TO_OCTETS: Final = 468

# --- Fast path (docs/performance.md) ----------------------------------------------------------
# Datagrams taken and sent at once: a flood must not starve TCP and timers; 128 fast replies cost
# 0.4 ms, 128 composed ones 8 ms. Of 64 each reply costs 0.15 us more (measured 2026-11-21).
FAST_BATCH: Final = 128
# Full batches before the reactor looks at its other descriptors: its own round costs 15 us.
FAST_BATCHES: Final = 4
# Batches the memo is not asked after one it knew less than a quarter of.
FAST_SKIPPED: Final = 16
# Replies kept of one generation, of which there are two: what a busy server is asked in a second.
FAST_MEMO_ENTRIES: Final = 8_192
FAST_MEMO_OCTETS: Final = 4 * 1024 * 1024
# Octets of the table that tells a question that came before; a power of two.
FAST_DOORKEEPER: Final = 1 << 16
# What is learned for one address and transport, 0.7 KiB each: a zone has three to six and one a
# delegation; ten thousand zones have room.
FAST_MOULDS: Final = 65_536
# What is cast of it, 0.7 KiB each, at a tenth of the cost of a reply: lengths of names, times kinds
# of clients, times sizes of answers.
FAST_TEMPLATES: Final = 16_384
# Combinations of zone, type, rcode and sizes that are counted each for itself.
FAST_CELLS: Final = 16_384
# Kinds of questions that differ in their first label alone; each takes 1 KiB.
FAST_LANES: Final = 16_384
# What all lanes know, by length of a label, TTL and octets of the record; and as much of what templates
# count, by type and octets of the reply: a quarter KiB each. Ten thousand zones take a third.
FAST_NOTED: Final = 131_072
# Gaps between the names of signed zones that are kept, half a KiB each; others are read again.
FAST_GAPS: Final = 8_192
# Forms of an OPT that are known by their octets: clients send a dozen.
FAST_FORMS: Final = 1_024

# --- TCP (RFC 7766) --------------------------------------------------------------------------
TCP_CONNECTIONS: Final = 1_000
# Of the descriptors there are, DNS clients get at most so much: the rest is for pulls, images,
# the compiler and the admin pages (Knot takes half, too).
TCP_DESCRIPTORS: Final = 0.5
TCP_CONNECTIONS_PER_CLIENT: Final = 20
# What each of several workers may have of a limit of the whole server, at least: connections of a
# client fall on them by chance. Of 16 workers two have one of two connections in 6 of 100 cases.
LEAST_SHARE: Final = 4
TCP_IDLE_S: Final = 10.0
TCP_FIRST_OCTET_S: Final = 3.0
TCP_MESSAGE_S: Final = 2.0
TCP_WRITE_S: Final = 10.0
# Bytes a client may leave unread before its connection is closed (CVE-2024-0760).
TCP_UNREAD_OCTETS: Final = 1 * MIB
# Queries of one connection answered before everybody else has a turn: a segment holds 3,000.
TCP_PIPELINED: Final = 16
# Replies of one turn go out in one write; beyond this the kernel's buffer is full anyway.
TCP_WRITE_OCTETS: Final = 64 * KIB
# What the kernel takes of a connection ahead of what it has sent: with what Twisted holds, a
# client that never reads costs less than 1 MiB however far its window once opened.
TCP_NOT_SENT_OCTETS: Final = 256 * KIB
# A TLS handshake takes two round trips; a slow one holds a place and no CPU.
TLS_HANDSHAKE_S: Final = 5.0
# How often certificate files are looked at; those who renew them wait weeks for the next time.
TLS_LOOK_S: Final = 30.0
# Authorities renew at two thirds of a life of 90 days at the latest: half of what is left then.
TLS_EXPIRES_SOON_S: Final = 14 * 86_400.0
# A chain of ten with the largest keys in use takes 50 KiB, a bundle of all public authorities 300.
TLS_FILE_OCTETS: Final = 1 * MIB

# --- Transfers out ---------------------------------------------------------------------------
# BIND's transfers-out: each holds a version of a zone and costs milliseconds a message.
TRANSFERS: Final = 10
# One slow secondary, or several behind one address, must leave places for another.
TRANSFERS_PER_CLIENT: Final = 5
# More requests on a connection wait in it: NSD asks for 128 zones at once (RFC 9103 6.3).
TRANSFERS_PER_CONNECTION: Final = 2
# BIND's max-transfer-time-out: 120 minutes.
TRANSFER_S: Final = 7_200.0
# Nodes a walk over a zone looks at before it gives way: 0.2 ms to compare, 1.2 ms to write
# (measured 2026-11-21).
WALK_NODES: Final = 256
# Names can be pointed at in the first 16 KiB only (RFC 1035 4.1.4).
TRANSFER_MESSAGE_OCTETS: Final = 16 * KIB
# A longer difference is sent as the whole zone (NSD's ixfr-size).
IXFR_OCTETS: Final = 1 * MIB
# Over UDP a difference is answered at once or not at all: of zones with so many records.
IXFR_UDP_RECORDS: Final = 1_000
# NOTIFY: sent again after 1, 2, 4 ... seconds; given up 63 s after the first. RFC 1996 3.6
# suggests fixed minutes: too long for a secondary that was restarting.
NOTIFY_ATTEMPTS: Final = 6
NOTIFY_FIRST_WAIT_S: Final = 1.0
# NOTIFY of 10,000 zones to two secondaries go out in 40 s; more would be a flood to them.
NOTIFY_PER_S: Final = 500

# --- Workers (`multisocket`) -------------------------------------------------------------------
# A running worker reads orders of 100,000 zones in 3 s; one that takes longer is as good as dead, and
# its share of the clients waits for another one.
WORKER_SILENT_S: Final = 10.0
# A worker that is late is killed, and another one has its time: then whoever activates is told.
WORKER_SETTLED_S: Final = 2 * WORKER_SILENT_S
# How often workers are looked at; a machine that slept has missed one look, not all of them.
WORKER_LOOK_S: Final = 1.0
# The same at its start, when every image is to be opened, on a machine that is busy or slow.
WORKER_START_S: Final = 60.0
# A worker that ends is replaced at once; one that ends again so soon waits, twice as long each time.
WORKER_STEADY_S: Final = 10.0
WORKER_PAUSE_S: Final = 0.5
WORKER_PAUSE_MOST_S: Final = 30.0
# How often a worker tells what it counted: what a killed one may take along. Longer when it takes
# long, for queries wait meanwhile: one hundredth of its time.
WORKER_REPORT_S: Final = 1.0
WORKER_REPORT_MOST_S: Final = 5.0
WORKER_REPORT_SHARE: Final = 0.01
# Combinations of labels told at once: 1 ms.
WORKER_TALLIES: Final = 100
WORKER_REPORT_OCTETS: Final = 1 * MIB
# At the end: what came in already is answered, and TCP clients are sent what was written.
WORKER_STOP_S: Final = 3.0

# --- Corefile --------------------------------------------------------------------------------
# The figures caddy uses; a loop of imports ends here instead of in memory exhaustion.
COREFILE_SNIPPET_EXPANSIONS: Final = 10_000
COREFILE_FILE_IMPORTS: Final = 100_000
COREFILE_OCTETS: Final = 16 * MIB
COREFILE_REGEXP_CHARACTERS: Final = 10_000
# Snippets that import snippets twice each double with every level; no real file comes near.
COREFILE_TOKENS: Final = 1_000_000
# CoreDNS' own bounds of `reload`.
MINIMUM_RELOAD_S: Final = 2.0
MINIMUM_JITTER_S: Final = 1.0

# --- Registry and artifacts ------------------------------------------------------------------
# distribution refuses larger manifests too.
MANIFEST_OCTETS: Final = 4 * MIB
MANIFEST_LAYERS: Final = 256
MANIFEST_JSON_DEPTH: Final = 32
BLOB_OCTETS: Final = 256 * MIB
ARTIFACT_OCTETS: Final = 512 * MIB
EXPANDED_OCTETS: Final = 1024 * MIB
# gzip of zone text compresses 5:1 to 30:1, thousands of equal small zones in a tar 140:1
# (measured 2026-11-21); a bomb is 1000:1.
EXPANSION_RATIO: Final = 400
# Below this the ratio says nothing: a tar of one short file is mostly zero octets.
EXPANSION_RATIO_FROM_OCTETS: Final = 1 * MIB
# Extended headers hold a path and times.
ARCHIVE_HEADER_OCTETS: Final = 16 * KIB
ARCHIVE_MEMBERS: Final = 100_000
ARCHIVE_PATH_OCTETS: Final = 1_024
ARCHIVE_PATH_DEPTH: Final = 16
REDIRECTS: Final = 5
TAG_PAGES: Final = 100
TAGS: Final = 10_000
# OCI distribution 1.1: a tag is [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}.
TAG_CHARACTERS: Final = 128
# Of a rule that picks a tag; ten alternatives fit.
TAG_RANGE_CHARACTERS: Final = 512
# Every scan and signature adds one; nobody should read 10,000 of an attacker's (cosign
# CVE-2024-29902 and its like).
REFERRERS: Final = 1_000
# Signatures of one artifact that are looked at, in each layout; two or three people sign.
SIGNATURES: Final = 32
# A bundle with certificate, log entry and timestamp has 12 KiB, a payload 300 octets.
SIGNATURE_OCTETS: Final = 64 * KIB
# Why a signature does not count is told of so many; the rest are counted.
SIGNATURES_TOLD: Final = 4
# An RSA key of 16,384 bits takes 13 KiB of PEM.
KEY_OCTETS: Final = 32 * KIB
# NIST SP 800-131A: shorter RSA keys are not for signatures.
RSA_BITS: Final = 2_048
TOKEN_OCTETS: Final = 64 * KIB
# Shorter ones are in any message by chance, and no secret either.
SECRET_CHARACTERS: Final = 4
# Of one client: password, tokens, and those before them, which a registry may send back late.
SECRETS_REMEMBERED: Final = 32
ERROR_BODY_OCTETS: Final = 64 * KIB
# Warnings of one answer that are told, and of a whole run, each once.
WARNINGS_HEARD: Final = 3
WARNINGS_TOLD: Final = 100
# docker itself truncates nothing; a file of 1,000 registries has 200 KiB.
DOCKER_CONFIG_OCTETS: Final = 1 * MIB
PASSWORD_OCTETS: Final = 64 * KIB
# Cloud helpers make an HTTPS request or two; a pull thread waits for them.
CREDENTIAL_HELPER_S: Final = 10.0
CREDENTIAL_HELPER_OCTETS: Final = 64 * KIB
PROXY_HEAD_OCTETS: Final = 16 * KIB
# Flux asks a host 50 times a second; 200 blocks that start together are done in 20 s with these.
REQUESTS_PER_S: Final = 10.0
REQUESTS_BURST: Final = 10
# Flux' floor.
REQUESTS_LEAST_PER_S: Final = 0.1
# A longer wait is not slept in one of the few pull threads.
SHORT_WAIT_S: Final = 3.0
# How long a host that complains without a Retry-After is left alone.
PAUSE_S: Final = 5.0
# A Retry-After is the registry's word: it must not stop us for ever.
PAUSE_MOST_S: Final = 3_600.0
# A longer one is for the repository that was asked for, not for its neighbours on the host: a
# quota is a repository's or an account's, and one of 200 blocks must not stop the others.
HOST_PAUSE_MOST_S: Final = 60.0
# Blocks and hosts they are redirected to; who is forgotten is told once more.
PAUSES_REMEMBERED: Final = 10_000
# The lower rate is kept so long before successes raise it (flux: 20 minutes).
RATE_KEPT_S: Final = 300.0
HOSTS_REMEMBERED: Final = 1_000
# 10,000 ordinary manifests.
MANIFESTS_KEPT_OCTETS: Final = 16 * MIB
RESOLUTIONS_KEPT: Final = 10_000
# A mirror that failed is not asked in this time: each failure may cost a share of a deadline.
MIRROR_REST_S: Final = 60.0
# Blobs under way at once: one fills a disk's queue; more make small ones wait less.
BLOB_FETCHES: Final = 8
# Flux' timeout: a cache that is slower than the registry is none.
MEMCACHED_S: Final = 0.1
MEMCACHED_CONNECT_S: Final = 1.0
MEMCACHED_REST_S: Final = 60.0
CONNECT_S: Final = 3.0
READ_S: Final = 15.0
ATTEMPTS: Final = 3
BACKOFF_S: Final = 30.0
ATTEMPT_DEADLINE_S: Final = 60.0
MINIMUM_INTERVAL_S: Final = 5.0
MAXIMUM_INTERVAL_S: Final = 365 * 86_400.0
# Towards a time of the wall clock, which may be set meanwhile: how late that is noticed.
WALL_SLEEP_S: Final = 3_600.0
# More would let a tick come nearer to the next one than to its own time.
MOST_JITTER: Final = 0.5
# What an operator may ask for instead of ATTEMPTS, BACKOFF_S and ATTEMPT_DEADLINE_S: a look that
# takes longer than this is none that anybody waits for.
MOST_ATTEMPTS: Final = 100
MOST_BACKOFF_S: Final = 3_600.0
LEAST_ATTEMPT_DEADLINE_S: Final = 1.0
MOST_ATTEMPT_DEADLINE_S: Final = 3_600.0
# Pulls under way at once: bounded threads, so that 200 blocks do not stampede; enough that a
# dozen dead registries do not keep a live one waiting.
PULL_THREADS: Final = 32
# Of those for one registry: 64 blocks of a dead one kept a live one waiting for 46 s (measured
# 2026-11-21). More are of no use to a live one either: it gets so many requests a second.
PULLS_PER_REGISTRY: Final = 4
# Threads that read and write the state directory.
FILE_THREADS: Final = 2
STOP_S: Final = 5.0

# --- Zones -----------------------------------------------------------------------------------
ZONE_FILE_OCTETS: Final = 1024 * MIB
ZONE_LINE_OCTETS: Final = 1 * MIB
# A shorter line cannot make rdata over 65,535 octets: the fast line reader need not look.
FAST_LINE_OCTETS: Final = 65_000
# A record in parentheses spans lines; a forgotten ")" must not swallow a gigabyte.
ZONE_ENTRY_OCTETS: Final = 1 * MIB
ZONE_RECORDS: Final = 5_000_000
# A TCP message has room for 4,095 A and 2,340 AAAA; reading 2,000 records takes 0.3 ms, for which
# every zone's queries wait.
RRSET_RECORDS: Final = 2_000
# A referral looks every server inside the delegated zone up; the root has 13.
NS_RECORDS: Final = 100
RRSET_TYPES: Final = 100
INCLUDE_DEPTH: Final = 7
# Of all $GENERATE lines of a zone together: 76 full ones, 2.8 KB of text, took 310 s and 2 GiB
# (measured 2026-11-21). A /16 of reverse names still fits.
GENERATE_STEPS: Final = 65_536
TTL_SECONDS: Final = 2**31 - 1
YAML_OCTETS: Final = 64 * MIB
YAML_DEPTH: Final = 32
# RFC 9276 3.1 wants 0. Validators treat more than 50 as insecure or bogus (BIND, Unbound, Knot
# and PowerDNS Resolver cap there), and a denial hashes up to 128 names so often.
NSEC3_ITERATIONS: Final = 50
# NSEC3 of another chain that are passed on the way to one of the served chain. While a signer
# changes the salt there are two; every second record is the other's, and hashes are random.
NSEC3_OTHER_CHAINS: Final = 64
# One of ECDSA P-256 takes 0.1 ms, of P-384 0.4 ms (measured 2026-11-21): 2 to 8 s of a compiler.
VERIFIED_SIGNATURES: Final = 20_000
# Keys of one tag and algorithm that a signature is tried with (KeyTrap, CVE-2023-50387): tags of 16
# bits meet by chance at most once or twice.
KEY_COLLISIONS: Final = 4
# Signatures that end within a day leave a night to sign again.
EXPIRING_S: Final = 86_400
ZONES_PER_IMAGE: Final = 100_000
# Zone tests of an artifact: 1 s of a compiler; and of one file, with 400 octets a test.
ZONE_TESTS: Final = 10_000
ZONE_TESTS_OCTETS: Final = 4 * MIB
# A field of a $GENERATE pattern wider than a label makes no name.
GENERATE_WIDTH: Final = 63
# Findings of one compile that are kept; the rest are counted.
PROBLEMS: Final = 1_000
# How much of a token or path a finding quotes, and of the line it is about a terminal shows.
SHOWN_CHARACTERS: Final = 120
SNIPPET_CHARACTERS: Final = 100
# Address space an image may grow into while it is written; the file takes what it holds.
IMAGE_MAP_OCTETS: Final = 64 * 1024 * MIB

# --- Comparing -------------------------------------------------------------------------------
# A zone of a million records arrives in 30 s over a slow link; `diff` has one reader, who waits.
TRANSFER_IN_S: Final = 120.0
# `git status` of a checkout with 100,000 files takes 2 s.
GIT_S: Final = 20.0

# --- Compiler child --------------------------------------------------------------------------
COMPILE_S: Final = 600.0
# What a compiler may use beside the map of its image: a zone of ZONE_RECORDS takes about 2 GiB.
COMPILE_MEMORY_OCTETS: Final = 4 * 1024 * MIB
COMPILE_REPORT_OCTETS: Final = 64 * MIB
# What of the unchanged files of a revision a compiler keeps in memory instead of writing it.
HELD_FILES_OCTETS: Final = 64 * MIB
# Findings of one zone that its image remembers: a zone with more is read again.
NOTED_PROBLEMS: Final = 100
# A zone file is compared with its former version from this size on: a smaller one is read sooner.
AMENDED_FILE_OCTETS: Final = 128 * KIB
# Octets of changed lines that are worth it, and names at once.
AMENDED_OCTETS: Final = 1 * MIB
AMENDED_NAMES: Final = 5_000
# Lines with a parenthesis or a dollar sign, each of which is looked at.
AMENDED_ODD_LINES: Final = 1_000
# Names of which nothing else in the file may speak; each takes a search through all of it.
AMENDED_SEARCHES: Final = 64
# Compilers under way at once: each takes a core and the memory of a zone.
COMPILE_CHILDREN: Final = 2

# --- What waits for an operator --------------------------------------------------------------
# Fewer records removed are no catastrophe, however small the zone is.
GUARD_RECORDS: Final = 10
# octoDNS raises at 30 % deletes.
TOLD_DELETES: Final = 0.3
# Reasons that are kept and shown for one version that is held; a thousand say no more.
OBJECTIONS: Final = 20
# How far ahead of ours a publisher's clock may be; its time zone may be wrong, too.
CREATED_AHEAD_S: Final = 86_400
# Serials remembered for one source: those of the largest artifact.
WATERMARK_ZONES: Final = ZONES_PER_IMAGE

# --- Store -----------------------------------------------------------------------------------
# Versions before the current one that secondaries get differences from (NSD's ixfr-number).
IXFR_VERSIONS: Final = 5
# Deployments kept for one source, the current one among them.
KEEP_DEPLOYMENTS: Final = IXFR_VERSIONS + 1
# Reports of what became of manifests, beside those of kept deployments: a page or two of history.
KEEP_REPORTS: Final = 50
# Hashing everything at start: a quarter of what a cheap disk reads; 1 GiB takes 16 s.
SCRUB_OCTETS_PER_S: Final = 64 * MIB
# Archives of deployments kept for who asks next, or for another part of one.
ARCHIVES: Final = 4
# How often the state directory is measured for status and metrics: one stat a file.
STORE_MEASURED_S: Final = 60.0
# Each costs a file and its share of blobs and images; a year of daily pushes fits.
MOST_KEPT_DEPLOYMENTS: Final = 1_000
# Digests an operator let pass that are remembered: they matter until they are served.
APPROVALS: Final = 16
# Zones of a version that a history tells one by one: all are in its report.
HISTORY_ZONES: Final = 100
# Digits of a digest an operator has to type: one in 65,536 would be another by chance.
DIGEST_DIGITS: Final = 4
# Digits of a number that is a generation, and not the beginning of a digest.
GENERATION_DIGITS: Final = 6

# --- Log ----------------------------------------------------------------------------------------
# Refused transfers and signatures: each (client, name, reason) once in so long, and so many lines;
# a secondary that retries every second must not bury the rest.
REFUSALS_QUIET_S: Final = 300.0
REFUSALS_TOLD: Final = 50

# --- Metrics ------------------------------------------------------------------------------------
# Zones with histograms of their own: 45 lines each, and a scrape holds queries up as long as it is
# written; of 1,000 zones it took 600 ms and 7 MB (measured 2026-11-21).
METRIC_ZONES: Final = 64
# Zones with series of their own in what takes few lines a zone; the rest is summed up, or told by its
# worst. 10,000 zones were 4.2 MB, made in 310 ms.
METRIC_GAUGE_ZONES: Final = 1_000
# How late a timer is, looked at so often, and told as the worst of so long: a scrape a minute
# misses none.
LAG_LOOK_S: Final = 0.5
LAG_WINDOW_S: Final = 60.0

# --- Admin -----------------------------------------------------------------------------------
CONTROL_REQUEST_OCTETS: Final = 64 * KIB
CONTROL_S: Final = 5.0
# A page of this many octets takes some 10 ms to make: it is given for a second to whoever asks.
PAGE_KEPT_OCTETS: Final = 256 * KIB
PAGE_KEPT_S: Final = 1.0
# What the command line reads of one answer: the status of 100,000 zones is 50 MiB of JSON.
CONTROL_ANSWER_OCTETS: Final = 128 * MIB
# A verb that hashes or opens what is stored: 100 GiB are read in ten minutes.
CONTROL_VERB_S: Final = 600.0
# Between two looks of `push --wait` and `status --watch` at a server.
FLEET_POLL_S: Final = 0.2
WATCH_S: Final = 2.0
# Lines of one name that `which` shows: an RRset may have thousands.
SHOWN_LINES: Final = 20
# Admin connections of one address; scrapers and probes need a handful, and each takes a descriptor.
ADMIN_CONNECTIONS: Final = 64
# What the artifact endpoint reads of a file at a time, and how long a client may take none of it.
ARTIFACT_PIECE_OCTETS: Final = 256 * KIB
ARTIFACT_STALL_S: Final = 30.0
# --- Webhook -----------------------------------------------------------------------------------
# A notification holds a manifest at most (zot), or what distribution had queued.
WEBHOOK_OCTETS: Final = 1 * MIB
# Pushes of one notification that are read.
WEBHOOK_EVENTS: Final = 1_000
# Braces, brackets and commas of a notification, those in strings among them: every query waits while
# it is read, at worst 50 ms; of 1 MiB 245 ms (measured 2026-11-21). WEBHOOK_EVENTS of
# distribution have 26,000.
WEBHOOK_MARKS: Final = 40_000
# distribution's own bound of a name.
REPOSITORY_CHARACTERS: Final = 255
# Notifications of one push come within milliseconds of one another: tags, layers, signature.
WEBHOOK_COALESCE_S: Final = 0.2
# Looks at one repository in a row, and seconds until one more is allowed; none is lost, only late.
WEBHOOK_BURST: Final = 2
WEBHOOK_REFILL_S: Final = 2.0
# Repositories that wait for a look at one time; a registry of more is polled as ever.
WEBHOOK_REPOSITORIES: Final = 1_000
# Dropped notifications are told of together, once in so long: who sends many must not fill the log.
WEBHOOK_TELL_S: Final = 10.0
# A secret or token in a file.
SECRET_FILE_OCTETS: Final = 4 * KIB
