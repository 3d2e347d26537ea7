"""Who we are on the wire, and what all calls of one user agent share."""

from outdialer.carriers.sip.core.transaction import Transactions
from outdialer.carriers.sip.core.uri import join_host_port

PRODUCT = "outdialer"
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"


class Endpoint:
    """Identity, transactions, and the realms learned per trunk."""

    def __init__(self, secret: bytes, host: str, port: int, *, same_address: bool = True) -> None:
        sent_by = join_host_port(host, port)
        self.secret = secret
        self.same_address = same_address
        """Whether an earlier life spoke from here. A CANCEL from elsewhere matches nothing (RFC 3261 section 17.2.3
        compares sent-by), so a 481 to it proves nothing."""
        self.host = f"[{host}]" if ":" in host else host
        self.via = f"SIP/2.0/UDP {sent_by};rport"
        """The Via value without its branch; rport asks for answers to where the request came from (RFC 3581)."""
        self.contact_uri = f"sip:{PRODUCT}@{sent_by}"
        self.contact_lines = f"Contact: <{self.contact_uri}>\r\nAllow: {ALLOW}\r\nUser-Agent: {PRODUCT}\r\n"
        self.transactions = Transactions()
        self.realms: dict[int, str] = {}
        """By trunk: the first realm that its own address asked for."""
