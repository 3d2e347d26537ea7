"""Who may ask us for credentials, and how often (RFC 3261 section 22)."""

from outdialer.carriers.sip.core.digest import authorization, choose, parse_challenges
from outdialer.carriers.sip.core.endpoint import Endpoint
from outdialer.carriers.sip.core.message import Message
from outdialer.carriers.sip.core.outputs import Address
from outdialer.carriers.sip.core.transaction import Request
from outdialer.ports.carrier import Peer

CHALLENGES = {
    401: ("www-authenticate", "Authorization"),
    407: ("proxy-authenticate", "Proxy-Authorization"),
}
"""By status: the header that asks and the header that answers."""


class Credentials:
    """What the challenges of one call are answered with: each method at most once.

    Only the peer's own address is answered, and only for its realm: a called party that challenges our requests
    with the trunk's realm must not get a response that it can crack.
    """

    __slots__ = ("_address", "_endpoint", "_password", "_peer", "_used")

    def __init__(self, endpoint: Endpoint, peer: Peer, password: str, address: Address) -> None:
        self._endpoint = endpoint
        self._peer = peer
        self._password = password
        self._address = address
        self._used: set[str] = set()

    def answer(self, request: Request, sent_to: Address, message: Message, source: Address) -> str:
        """The header line that answers the 401 or 407 ``message`` to ``request``, or empty: not answered."""
        if request.method in self._used or not source == sent_to == self._address:
            return ""
        peer, realms = self._peer, self._endpoint.realms
        header, name = CHALLENGES[message.status]
        realm = peer.realm or realms.get(peer.trunk, "")
        challenge = choose(parse_challenges(message.headers.get(header, "")), realm)
        if challenge is None:
            return ""
        realms.setdefault(peer.trunk, challenge.realm)
        self._used.add(request.method)
        secret = self._endpoint.secret
        value = authorization(challenge, peer.username, self._password, request.method, request.uri, secret)
        return f"{name}: {value}\r\n"
