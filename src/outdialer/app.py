"""The composition root: joins the store, the carrier, the media and the REST side to one program."""

import asyncio
import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import httpx
import uvicorn

from outdialer.api.app import create_app
from outdialer.api.auth import new_access_key
from outdialer.api.connections import GuardedConnection
from outdialer.api.events.feed import Feed
from outdialer.api.events.frames import LONGEST_MESSAGE, PING_EVERY_S, PONG_WITHIN_S, EventSocketProtocol
from outdialer.api.events.render import Renderer
from outdialer.api.services import ApiServices
from outdialer.api.serving import Server
from outdialer.api.throttle import IN_PROCESS, RequestRates
from outdialer.api.webhooks.delivery import Deliverer
from outdialer.api.webhooks.sending import Sender
from outdialer.carriers.simulator.carrier import SimulatorCarrier
from outdialer.carriers.simulator.media import SimulatorMedia
from outdialer.carriers.sip.carrier import SipCarrier
from outdialer.carriers.sip.transport import NonLoopbackRefused, bound_socket, is_loopback
from outdialer.client import AsyncClient, Retries
from outdialer.config import Settings, TrunkSettings, cache_folder
from outdialer.domain.model import Trunk
from outdialer.domain.permissions import OPERATOR_CUSTOMER
from outdialer.domain.throttle import Rate
from outdialer.domain.units import NIL_ID
from outdialer.engine.engine import Engine
from outdialer.engine.lifecycle import Tasks
from outdialer.engine.retention import Keep, Retention
from outdialer.engine.system import SystemClock, SystemIds, chance, random_bytes
from outdialer.engine.trunks import peer_of
from outdialer.media.client import MediaProcess
from outdialer.ports.carrier import Carrier, PeerHealth
from outdialer.ports.media import Media
from outdialer.store.sqlite.store import SqliteStore
from outdialer.telemetry import Metrics
from outdialer.web.addresses import Network
from outdialer.web.client import Reach, WebClient

DEFAULT_CUSTOMER = OPERATOR_CUSTOMER
"""Whose campaigns the command line dials."""
SIP_ADDRESS = "sip_address"
"""The name under which the store keeps where SIP was bound last."""
UNBOUNDED_MEDIA_PORTS = 10_000
QUARANTINE_SHARE = 2
"""Of a bounded range of RTP ports only one in this many counts on: closed ones stay unused for a while."""
NOTHING_TAKEN_MS = 60_000
"""How long a far end of the REST server may take nothing of what waits for it."""
SERVER_GRACE_S = 5.0
"""How long open requests may take when the program ends."""

CarrierAndMedia: TypeAlias = tuple[Carrier, Media]


class App:
    """One running program. Build it with ``await App.open(settings)``."""

    def __init__(self, settings: Settings, store: SqliteStore, carrier: Carrier, media: Media, secret: bytes) -> None:
        """``secret``: the installation's, see ``IdentityStore.install_secret``."""
        self.settings = settings
        self.store = store
        self.carrier = carrier
        self.media = media
        self.clock = SystemClock()
        self.ids = SystemIds()
        self.metrics = Metrics()
        self.engine = Engine(
            store=store,
            carrier=carrier,
            media=media,
            clock=self.clock,
            ids=self.ids,
            metrics=self.metrics,
            media_ports=_media_ports(settings.rtp_ports),
            longest_call_ms=settings.max_call_ms,
            retention=self._make_retention(),
        )
        self.feed = Feed(store, Renderer, settings.customer_followers)
        self.webhooks = self._make_webhooks(secret)
        self.api = self._make_api()
        self.http_address: tuple[str, int] | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._tasks = Tasks()

    @classmethod
    async def open(cls, settings: Settings) -> "App":
        """Open the store and join everything; nothing is dialled yet.

        Raises:
            StoreInUse: another engine works on the same file.
            StoreTooNew: the file was written by a newer version.
            StoreUnavailable: the file cannot be written.
        """
        ids, clock = SystemIds(), SystemClock()
        store = await SqliteStore.open(settings.db, new_id=lambda: ids.new(clock.now()), random_bytes=random_bytes)
        try:
            carrier, media = await _carrier_and_media(settings, clock, store)
            app = cls(settings, store, carrier, media, await store.install_secret())
            if settings.trunk is not None:
                await app.put_trunk(settings.trunk)
            else:
                await store.own_trunk_gives_way(DEFAULT_CUSTOMER, app.clock.now())
        except BaseException:
            await store.close()
            raise
        return app

    def _keep(self) -> Keep:
        return Keep(events_days=self.settings.keep_events_days, attempts_days=self.settings.keep_attempts_days)

    def _make_retention(self) -> Retention | None:
        keep = self._keep()
        nothing = keep == Keep() and self.settings.http is None
        return None if nothing else Retention(self.store, self.clock, self.metrics, keep)

    def _make_webhooks(self, secret: bytes) -> Deliverer:
        reach = Reach(_networks(self.settings))
        return Deliverer(
            store=self.store,
            sender=Sender(secret, lambda: WebClient(reach)),
            renderer=Renderer(secret),
            clock=self.clock,
            chance=chance,
            metrics=self.metrics,
            old_time_format=self.settings.old_time_format,
            keep_us=self._keep().events_us,
        )

    def _make_api(self) -> Server:
        return create_app(
            ApiServices(
                store=self.store,
                clock=self.clock,
                ids=self.ids,
                feed=self.feed,
                hang_up=self.engine.hang_up,
                readiness=self.engine.problems,
                metrics=self.metrics.render,
                customer_added=self.engine.serve_customer,
                webhooks_changed=self.webhooks.changed,
                webhook_tries=self.webhooks.tried,
                on_premises=bool(self.settings.allowed_networks),
                live=self.settings.live,
                old_time_format=self.settings.old_time_format,
                rates=_request_rates(self.settings),
                kept_answer_bytes=self.settings.customer_answers_mb * 1_000_000,
            )
        )

    async def put_trunk(self, given: TrunkSettings) -> None:
        """Make the given peer the trunk that carries the campaigns, or change it."""
        now = self.clock.now()
        own = [row.trunk for row in await self.store.trunks(DEFAULT_CUSTOMER) if row.trunk.provider == NIL_ID]
        trunk = Trunk(
            id=own[0].id if own else self.ids.new(now),
            name=given.host,
            host=given.host,
            port=given.port,
            domain=given.domain,
            username=given.username,
            password_file=given.password_file,
            realm=given.realm,
            rate_per_s=given.rate_per_s,
            channels=given.channels,
            max_ring_ms=given.max_ring_ms,
        )
        await self.store.put_trunk(DEFAULT_CUSTOMER, trunk, now)

    async def probe_trunk(self) -> PeerHealth:
        """Ask whether the trunk is there, without ringing anybody. The engine must be started."""
        stored = await self.store.trunks(DEFAULT_CUSTOMER)
        own = [row for row in stored if row.trunk.provider == NIL_ID and row.trunk.tm_delete is None]
        if not own:
            return PeerHealth(reachable=False, why="no trunk is set")
        return await self.carrier.probe(peer_of(own[0].key, own[0].trunk))

    async def new_key(self, name: str) -> str:
        """Make an access key and return its text, which is shown only once."""
        now = self.clock.now()
        token, key = new_access_key(random_bytes, id=self.ids.new(now), customer=DEFAULT_CUSTOMER, now=now, name=name)
        await self.store.put_access_key(key)
        return token

    async def first_key(self) -> str | None:
        """The first access key's text if it had to be made now, kept in the key file where there is one."""
        if await self.store.access_keys(DEFAULT_CUSTOMER):
            return None
        token = await self.new_key("first key")
        if self.settings.key_file is not None:
            _write_private(self.settings.key_file, token)
        return token

    async def start(self) -> None:
        """Start the engine and, where an address is set, the REST server.

        Raises:
            OSError: an address cannot be bound.
        """
        await self.engine.start()
        self.webhooks.start()
        if self.settings.http is not None:
            await self._start_server(self.settings.http)

    async def _start_server(self, address: tuple[str, int]) -> None:
        listener = listening_socket(address)
        self.http_address = listener.getsockname()[:2]
        self.feed.start()
        self._server = http_server(self.api, self.settings.trusted_proxies)
        self._serving = self._tasks.start(self._server.serve(sockets=[listener]), "http server")

    def client(self, token: str) -> AsyncClient:
        """A client of this program's REST API that needs no socket."""
        transport = httpx.ASGITransport(app=self.api, client=(IN_PROCESS, 0))
        return AsyncClient("http://outdialer", token, transport=transport, retries=Retries(tries=1))

    async def stop(self) -> None:
        """Close everything. Drain the engine first to end its calls properly."""
        if self._server is not None:
            self._server.should_exit = True
        await self.feed.stop()
        await self.engine.stop()
        await self._finish_server()
        await self.webhooks.stop()
        await self.store.close()

    async def _finish_server(self) -> None:
        if self._serving is not None:
            await asyncio.wait({self._serving}, timeout=SERVER_GRACE_S)
        await self._tasks.cancel()


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: this program has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def listening_socket(address: tuple[str, int]) -> socket.socket:
    """A bound socket for the REST server.

    Its connections send small writes at once: asyncio sees to that where the protocol is named. One whose far end
    takes nothing for a minute is closed by the system (RFC 5482), whatever waits for it.

    Raises:
        OSError: the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, NOTHING_TAKEN_MS)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{error.strerror}: {address[0]}:{address[1]}") from None
    return listener


def http_server(api: Server, trusted_proxies: Sequence[str] = ()) -> uvicorn.Server:
    """The server of the REST side and of the websockets."""
    return _Server(
        uvicorn.Config(
            api,
            log_config=None,
            access_log=False,
            lifespan="off",
            http=GuardedConnection,
            ws=EventSocketProtocol,
            ws_max_size=LONGEST_MESSAGE,
            ws_ping_interval=PING_EVERY_S,
            ws_ping_timeout=PONG_WITHIN_S,
            ws_per_message_deflate=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
        )
    )


async def _carrier_and_media(settings: Settings, clock: SystemClock, store: SqliteStore) -> CarrierAndMedia:
    secret = await store.install_secret()
    if settings.simulated_trunk_seed is not None:
        return SimulatorCarrier(clock=clock, secret=secret, seed=settings.simulated_trunk_seed), SimulatorMedia()
    media = MediaProcess(
        cache_dir=cache_folder(),
        cache_bytes=settings.prompt_cache_mb * 1_000_000,
        address=settings.sip_bind[0],
        port_range=settings.rtp_ports,
        live=settings.live,
        networks=_networks(settings),
        sounds=settings.sounds,
    )
    bound, same_address = await _sip_address(settings, store)
    carrier = SipCarrier(
        clock=clock,
        secret=secret,
        bind=bound.getsockname()[:2],
        advertise=settings.advertise,
        live=settings.live,
        same_address=same_address,
        bound=bound,
    )
    return carrier, media


def _networks(settings: Settings) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in settings.allowed_networks)


async def _sip_address(settings: Settings, store: SqliteStore) -> tuple[socket.socket, bool]:
    """A socket bound for SIP, and whether earlier lives were at the same address.

    Where any port will do, the last one is taken again if it is free: a far end that still rings for a dead engine
    knows its calls by that address (RFC 3261 section 17.2.3). It is bound before the audio takes its many ports.

    Raises:
        NonLoopbackRefused: the address is not on this machine, and dialing is not live.
        OSError: the address cannot be bound.
    """
    host, port = settings.sip_bind
    if not settings.live and not is_loopback(host):
        raise NonLoopbackRefused(f"binding to {host} needs live dialing")
    kept = await store.recall(SIP_ADDRESS)
    kept_host, _, kept_port = (kept or "").partition("/")[0].rpartition(":")
    wanted = port or (int(kept_port) if kept_host == host else 0)
    try:
        bound = bound_socket((host, wanted))
    except OSError:
        if port or not wanted:
            raise
        bound = bound_socket((host, 0))
    address = f"{host}:{bound.getsockname()[1]}/{settings.advertise or ''}"
    await store.write_down(SIP_ADDRESS, address)
    return bound, kept in (None, address)


def _request_rates(settings: Settings) -> RequestRates:
    return RequestRates(
        address=Rate(*settings.address_rate),
        login=Rate(*settings.login_rate),
        customer=Rate(*settings.customer_rate),
        key=Rate(*settings.key_rate),
    )


def _media_ports(rtp_ports: tuple[int, int] | None) -> int:
    if rtp_ports is None:
        return UNBOUNDED_MEDIA_PORTS
    return max(1, (rtp_ports[1] - rtp_ports[0] + 1) // QUARANTINE_SHARE)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)  # A file that was there already has kept its mode.
        file.write(text + "\n")
