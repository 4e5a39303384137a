"""The composition root: the one module that knows every part and starts it.

Start: Corefile -> plan -> sockets bound -> state opened -> last good versions restored ->
answering -> followers look. A reload prepares everything new before it changes anything, so
that a bad Corefile or a taken port leaves what runs as it was. Not here: what any part does.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocizone import __version__
from ocizone.admin.desk import AdminDesk
from ocizone.admin.readiness import Reasons
from ocizone.administration import Administration
from ocizone.answer.announce import changed
from ocizone.answer.blocks import Snapshot
from ocizone.deployed import Deployed
from ocizone.errors import ConfigError
from ocizone.follow.following import Following
from ocizone.follow.pool import DaemonPool
from ocizone.follow.source import OciSource
from ocizone.follow.status import Event
from ocizone.front import Prepared, Surface, make_front
from ocizone.housekeeping import Housekeeping
from ocizone.live import LiveZones
from ocizone.notify import notify
from ocizone.observe.events import log_problems
from ocizone.observing import Observing, Watched
from ocizone.operations import ServerOperations
from ocizone.plan import Plan
from ocizone.planning import Planning
from ocizone.plugins.health import Health
from ocizone.plugins.reload import Reload
from ocizone.process import become
from ocizone.pulling import Surroundings, Workshop
from ocizone.serve.identities import Identities
from ocizone.serve.notify import Notifier
from ocizone.side import Side
from ocizone.store.store import Store
from ocizone.watch import CorefileWatch
from ocizone.wire.name import to_text
from ocizone.zone.image import Image

log = Logger(namespace="ocizone")

#: Runs work in a thread; the Deferred is of what it returns or raises.
InThread = Callable[[Callable[[], Any]], "Deferred[Any]"]

#: How long answering waits for last good versions: they are there in milliseconds unless they
#: must be compiled again, and then the zones that are there must not wait for them.
_RESTORE_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    corefile: str
    state_dir: Path
    port: int = 53
    descriptors: int | None = None
    """How many files the process may have open, where that is known."""
    user: str | None = None
    """Who the process becomes once its addresses are open; None to stay who it is."""
    debug: bool = False
    """Workers log at debug level."""


class Application(Service):
    """The server."""

    def __init__(
        self,
        reactor: Any,
        options: Options,
        environ: Mapping[str, str],
        *,
        query_line: Callable[[str], None],
        wall: Callable[[], float] = time.time,
        in_thread: InThread = deferToThread,
    ) -> None:
        """Make it; nothing is read or opened before ``startService``.

        Args:
            reactor: of Twisted; it has every interface at once, which no type says.
            options: of the command line.
            environ: for ``{$NAME}`` and the service manager.
            query_line: writes a line of the query log; must not block.
            wall: unix seconds.
            in_thread: runs what takes long without holding up queries.
        """
        self._reactor = reactor
        self._options = options
        self._environ = environ
        self._wall = wall
        self._in_thread = in_thread
        self._started_at = 0.0
        self._refused = ""
        self._answering = False
        self._reload_wanted = False
        self.stopping = False
        self._planning = Planning(options.corefile, environ, options.port, options.state_dir)
        self._live = LiveZones(Snapshot(0, {}))
        self._observing = observing = Observing(wall)
        self._identities = Identities(reactor, wall, in_thread, self._recertified)
        self._front = make_front(
            reactor,
            self._live,
            observing.counters,
            self._identities,
            lambda: self._deployed.places,
            Surface(query_line, wall, options.descriptors, environ, options.debug),
            self.refresh,  # a look makes an image again that is gone
        )
        self._notifier = Notifier(
            reactor,
            wall=wall,
            random_id=lambda: secrets.randbelow(2**16),
            counted=observing.counters.notified,
        )
        self._announced = self.snapshot
        self._watch = CorefileWatch(reactor, self._look_at_corefile)

    @property
    def snapshot(self) -> Snapshot:
        """What is served now."""
        return self._live.snapshot

    # --- Start -------------------------------------------------------------------------------

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Start everything; returns once sockets are bound, without waiting for a registry.

        Raises:
            ConfigError: the Corefile is wrong.
            StoreError: the state directory cannot be used.
            OSError: an address cannot be bound.
        """
        plan = self._planning.read()
        self._say_hello(plan)
        self._identities.move_to(plan.tls, self._identities.read(plan.tls))
        bound = self._front.prepare(plan)
        if self._options.user is not None:
            become(self._options.user)
        self._front.warm_up(bound)
        self._store = Store(self._options.state_dir)
        self._put_together(plan)
        self._planning.taken_up(plan, self._workshop.files, self._store)
        self._admin.move_to(plan, self._admin.prepare(plan))
        self._admin.open_control(self._options.state_dir, plan)
        self._observe(plan)
        super().startService()
        restored = self._following.move_to(plan.sources)
        restored.addTimeout(_RESTORE_GRACE_S, self._reactor, lambda *_: None)
        restored.addCallback(lambda _: self._answer(plan, bound))

    def _put_together(self, plan: Plan) -> None:
        """Make what needs the state directory; nothing of it runs yet."""
        reactor, store, observing = self._reactor, self._store, self._observing
        self._deployed = deployed = Deployed(
            self._live,
            plan,
            open_image=Image.open,
            hostname=observing.hostname,
            on_problems=log_problems,
            wall=self._wall,
            on_swap=self._swapped,
            cookie_secret=secrets.token_bytes(16),
        )
        self._workshop = workshop = Workshop(
            Surroundings(
                reactor=reactor,
                store=store,
                serving=deployed,
                observe=self._happened,
                times=observing.registry,
                wall=self._wall,
                environ=self._environ,
                memcached=plan.memcached,
                keeps=lambda: deployed.plan.keeps,
            )
        )
        self._following = Following(workshop.follower)
        self._housekeeping = Housekeeping(
            store,
            reactor,
            keys_in_use=lambda: (source.key for source in deployed.plan.sources),
            keeps=lambda: deployed.plan.keeps,
            wall=self._wall,
        )
        # Pages of thousands of zones are megabytes: queries must not wait for them.
        self._pages = pages = DaemonPool("pages", 1, reactor)
        watched = Watched(
            snapshot=lambda: self.snapshot,
            deployed=deployed,
            following=self._following,
            front=self._front,
            certificates=lambda: self._identities.expiries,
            store=lambda: self._housekeeping.usage,
            state_dir=str(self._options.state_dir),
            started=self._wall(),
        )
        self.status_page = observing.status_page(watched, pages.call, reactor.seconds)
        operations = ServerOperations(
            status=self.status_page,
            following=self._following,
            deployed=deployed,
            store=store,
            files=workshop.files,
            housekeeping=self._housekeeping,
            reached=self._front.reached,
        )
        self._side = Side(reactor, store, deployed, operations.changed, operations.is_followed)
        desk = AdminDesk(
            self,
            observing.collectors(watched),
            lambda: Reasons(deployed.plan, self._following.statuses),
            pages.call,
            reactor.seconds,
            lambda: self._front.workers,
        )
        self._admin = Administration(reactor, desk, operations, self._side.resources, pages.call)

    def _answer(self, plan: Plan, bound: Prepared) -> None:
        if self.stopping:
            self._front.discard(bound)
            return
        self._front.move_to(plan, bound)
        self._front.settled().addCallback(lambda _: self._answers())

    def _answers(self) -> None:
        if self.stopping:
            return
        self._answering = True
        served = {zone for by_key in self.snapshot.listeners.values() for zone in by_key}
        log.info("answering", generation=self.snapshot.generation)
        notify(self._environ, "READY=1", f"STATUS=answering for {len(served)} server block keys")
        self._housekeeping.start()
        self._announce()
        if self._reload_wanted:
            self.reload()

    def _recertified(self) -> None:
        self._front.swapped()

    def _swapped(self) -> None:
        self._front.swapped().addCallback(lambda _: self._announce())

    def _announce(self) -> None:
        """Tell secondaries what changed; nothing before they can ask for it."""
        if self._answering and not self.stopping:
            before, self._announced = self._announced, self.snapshot
            self._notifier.announce(changed(before, self.snapshot))

    def _say_hello(self, plan: Plan) -> None:
        log.info(f"ocizone {__version__}", corefile=plan.corefile.path)
        for endpoint in plan.endpoints:
            log.info("listening", endpoint=str(endpoint))
        for view in plan.views:
            log.info("zones", block=view.name, keys=",".join(to_text(zone) for zone in view.zones))
        for source in plan.sources:
            path = source.artifact.path if isinstance(source, OciSource) else source.root
            log.info("following", source=source.name, path=path)
        log.info("state", directory=str(self._options.state_dir))
        log_problems((*plan.corefile.notices, *plan.notices))

    def _observe(self, plan: Plan) -> None:
        """Watch the Corefile, if its blocks want that."""
        reloads = [directive for view in plan.views for directive in view.block.all(Reload)]
        self._watch.move_to(reloads[-1] if reloads else None)

    def _happened(self, event: Event) -> None:
        """Note what following did."""
        self._observing.happened(event, self._following.status_of(event.source))

    # --- Reload and refresh ------------------------------------------------------------------

    def reload(self) -> bool:
        """Take up the Corefile again (SIGUSR1); True when it is what runs now.

        On any error everything that runs goes on as it was.
        """
        if not self._may_reload():
            return False
        try:
            plan = self._planning.read()
        except ConfigError as error:
            self._reload_refused(error)
            return False
        return self._take_up(plan)

    def _may_reload(self) -> bool:
        if not self._answering:
            # The start holds sockets that a reload would want: after it.
            self._reload_wanted = True
        return self._answering and not self.stopping

    def _look_at_corefile(self) -> None:
        """Take the Corefile up if its tokens changed (the ``reload`` directive).

        In a thread: thousands of blocks take longer to read than a query may wait.
        """
        if self._may_reload():
            read = self._in_thread(self._planning.read)
            read.addCallbacks(self._looked, self._unreadable)

    def _looked(self, plan: Plan) -> None:
        running = self._deployed.plan.corefile.fingerprint
        if plan.corefile.fingerprint == running:
            self._refused = ""
        elif plan.corefile.fingerprint != self._refused and self._may_reload():
            # One that cannot be taken up is tried again when it changes, not at every look.
            self._refused = "" if self._take_up(plan) else plan.corefile.fingerprint

    def _unreadable(self, failure: Failure) -> None:
        failure.trap(ConfigError)
        assert isinstance(failure.value, ConfigError)
        # A mistake that stays in the file is told once.
        if str(failure.value) != self._refused:
            self._refused = str(failure.value)
            self._reload_refused(failure.value)

    def _take_up(self, plan: Plan) -> bool:
        try:
            identities = self._identities.read(plan.tls)
            bound = self._front.prepare(plan)
            try:
                opened = self._admin.prepare(plan)
            except OSError:
                self._front.discard(bound)
                raise
        except (ConfigError, OSError) as error:
            self._reload_refused(error)
            return False
        log_problems((*plan.corefile.notices, *plan.notices))
        self._deployed.move_to(plan)
        self._identities.move_to(plan.tls, identities)
        self._front.move_to(plan, bound)
        self._admin.move_to(plan, opened)
        self._observe(plan)
        self._following.move_to(plan.sources)
        self._planning.taken_up(plan, self._workshop.files, self._store)
        log.info("reloaded", corefile=plan.corefile.path, sha256=plan.corefile.fingerprint[:12])
        return True

    def _reload_refused(self, error: Exception) -> None:
        self._observing.counters.failed_reloads += 1
        log.error("reload failed, the old Corefile stays")
        if isinstance(error, ConfigError):
            log_problems(error.problems)
        else:
            log.error("reload", error=str(error))

    def refresh(self) -> Deferred[None]:
        """Look at every source now (SIGHUP)."""
        self._identities.look()
        return self._following.refresh()

    # --- Stop --------------------------------------------------------------------------------

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """Stop: not ready at once, answering for the lame-duck time, then everything ends."""
        if self.stopping or not self.running:
            return succeed(None)
        self.stopping = True
        notify(self._environ, "STOPPING=1")
        self._watch.stop()
        self._notifier.stop()
        self._identities.stop()
        self._housekeeping.stop()
        self._side.stop()
        healths = [one for view in self._deployed.plan.views for one in view.block.all(Health)]
        lameduck_s = max((health.lameduck_s for health in healths), default=0.0)
        log.info("stopping", lameduck=f"{lameduck_s:g}s" if lameduck_s else "")
        ended = self._following.stop()
        if lameduck_s:
            ended.addCallback(lambda _: deferLater(self._reactor, lameduck_s, lambda: None))
        ended.addCallback(lambda _: self._front.close())
        return ended.addCallback(self._ended)

    def _ended(self, _: object) -> None:
        self._admin.close()
        self._workshop.stop()
        self._pages.stop()
        self._store.close()
        super().stopService()
        log.info("stopped")
