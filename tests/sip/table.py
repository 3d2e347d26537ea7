"""The far ends we are held against, in one table: the ladder, what each call tells, and what the attempt comes to.

The ladder is the far end's (``scenario`` explains its words) and SIPp says whether it was kept to. Where packets are
lost no ladder can be kept to: there each call must end in one of the outcomes named, in time, and leave nothing.
"""

from typing import Any

from msgspec import Struct

TIMER_B_S = 32
RUNG = ("Sent", "Trying", "Ringing")
TRIED = ("Sent", "Trying")


class Row(Struct, frozen=True, kw_only=True):
    """One far end, and what every call to it must come to."""

    name: str
    ladder: tuple[str, ...]
    told: tuple[str, ...]
    """The events before ``Ended``, in order; not looked at when packets are lost."""
    outcomes: tuple[str, ...]
    """Hangup reasons that are right; more than one only where the network decides."""
    why: str = ""
    """``Ended.why``; empty: any."""
    local: bool | None = None
    sip_code: int | None = None
    retry_after_s: int = 0
    ring_limit_ms: int = 20_000
    hang_up_ms: int | None = None
    """We hang up so long after the answer; None: the far end does."""
    accept_ms: int = 0
    """We acknowledge so long after the answer; the far end repeats its 200 meanwhile."""
    peer: dict[str, str] = {}
    credentials: int = 0
    """How many valid credentials each call gives."""
    lost: int = 0
    """Per cent of the packets lost, each way, at SIPp."""
    silent: bool = False
    """The far end stops answering: SIPp's own verdict says nothing."""
    up_ms: int = 0
    """How long the call may be up or late beside Timer B and the ring limit, ms."""

    @property
    def limit_s(self) -> float:
        """By when every call has ended, s after its INVITE."""
        return TIMER_B_S + (self.ring_limit_ms + (self.hang_up_ms or 0) + self.up_ms) / 1000


HANGS_UP = ("< BYE", "> 200")
"""The person hangs up."""
IS_HUNG_UP = ("> BYE", "< 200")
"""We hang up."""
IS_REFUSED = ("> BYE", "< 200", "> ACK")
"""An answer that nobody wants is ended first and acknowledged then."""
NORMAL: dict[str, Any] = {"outcomes": ("normal",), "sip_code": 200}
WE_END: dict[str, Any] = {**NORMAL, "why": "flow-done", "local": True, "hang_up_ms": 0}
THEY_END: dict[str, Any] = {**NORMAL, "why": "bye", "local": False}
ANSWERED = (*RUNG, "Answered")


def answered(name: str, *before: str, told: tuple[str, ...] = ANSWERED) -> Row:
    """The answer comes after these responses; we hang up."""
    ladder = ("> INVITE", *before, "< 200 sdp", "> ACK", *IS_HUNG_UP)
    return Row(name=name, ladder=ladder, told=told, **WE_END)


def in_talk(name: str, *steps: str) -> Row:
    """Something happens while the call is up; then the person hangs up."""
    ladder = ("> INVITE", "< 180", "< 200 sdp", "> ACK", *steps, *HANGS_UP)
    return Row(name=name, ladder=ladder, told=ANSWERED, **THEY_END)


def refused(code: int, reason: str = "failed", *headers: str, name: str = "", retry_after_s: int = 0) -> Row:
    """The far end refuses."""
    return Row(
        name=name or f"refused with {code}",
        ladder=("> INVITE", "< 100", " | ".join([f"< {code}", *headers]), "> ACK"),
        told=TRIED, outcomes=(reason,), why="refused", local=False, sip_code=code, retry_after_s=retry_after_s,
    )  # fmt: skip


LOGIN = {"username": "out", "realm": "trunk"}
ASKS = 'Digest realm="{realm}", nonce="abc123"{more}'
CREDENTIALS = "> INVITE has=uthorization:~Digest~username=.*response=.*"


def login(status: int, *algorithms: str, chosen: str) -> Row:
    """The trunk asks for credentials once, and answers."""
    header = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}[status]
    asks = [
        f"{header}: " + ASKS.format(realm="trunk", more=f', algorithm={algorithm}, qop="auth"')
        for algorithm in algorithms
    ]
    return Row(
        name=f"{status} {' or '.join(algorithms)}",
        ladder=(
            "> INVITE", " | ".join([f"< {status}", *asks]), "> ACK", f"{CREDENTIALS}algorithm={chosen},.*",
            "< 180", "< 200 sdp", "> ACK", *IS_HUNG_UP,
        ),
        told=ANSWERED, peer=LOGIN, credentials=1, **WE_END,
    )  # fmt: skip


def unanswered_challenge(name: str, *ladder: str, credentials: int = 0) -> Row:
    """Credentials are asked for that we do not give, or not again."""
    return Row(
        name=name, ladder=("> INVITE", *ladder), told=("Sent",), outcomes=("noanswer",), why="refused", local=False,
        sip_code=401, peer=LOGIN, credentials=credentials,
    )  # fmt: skip


def ring_limit(name: str, *ladder: str, told: tuple[str, ...] = RUNG, sip_code: int = 487, **more: Any) -> Row:
    """Our ring limit passes."""
    given: dict[str, Any] = {
        "ring_limit_ms": 400,
        "outcomes": ("noanswer",),
        "why": "ring-limit",
        "up_ms": 3_000,
        **more,
    }
    return Row(name=name, ladder=("> INVITE", *ladder), told=told, local=True, sip_code=sip_code, **given)


CANCELLED = ("> CANCEL", "< 200", "< 487 invite", "> ACK")
TRUNK_401 = "< 401 | WWW-Authenticate: " + ASKS.format(realm="trunk", more=", stale=true")
REFUSALS = {
    300: "failed", 305: "failed", 380: "failed", 400: "failed", 403: "noanswer", 404: "failed", 405: "failed",
    408: "failed", 410: "failed", 415: "failed", 480: "noanswer", 481: "failed", 483: "noanswer", 484: "failed",
    486: "busy", 487: "failed", 488: "failed", 491: "failed", 500: "failed", 501: "failed", 502: "failed",
    504: "failed", 513: "failed", 600: "busy", 603: "noanswer", 604: "failed", 606: "failed",
}  # fmt: skip

ROWS: list[Row] = [
    # Provisional and successful answers
    answered("200 at once", told=("Sent", "Answered")),
    answered("100, 200", "< 100", told=(*TRIED, "Answered")),
    answered("180, 200", "< 180"),
    answered("100, 180, 200", "< 100", "< 180"),
    answered("181, 182, 199, 200", "< 181", "< 182", "< 199", told=(*TRIED, "Answered")),
    answered("100, 181, 180, 183, 180, 200", "< 100", "< 181", "< 180", "< 183", "< 180"),
    answered("183 with media, 200", "< 183 sdp"),
    Row(
        name="183 with media, 200 without", ladder=("> INVITE", "< 183 sdp", "< 200", "> ACK", *IS_HUNG_UP),
        told=ANSWERED, **WE_END,
    ),
    Row(
        name="202", ladder=("> INVITE", "< 202 sdp", "> ACK", *IS_HUNG_UP), told=("Sent", "Answered"), **WE_END,
    ),
    Row(
        name="200 without media", ladder=("> INVITE", "< 180", "< 200", *IS_REFUSED), told=RUNG,
        outcomes=("failed",), why="no-media", local=True, sip_code=200,
    ),
    Row(
        name="answered at the last moment",
        ladder=("> INVITE", "< 180", "wait 2000", "< 200 sdp", "> ACK", *IS_HUNG_UP),
        told=ANSWERED, ring_limit_ms=4_000, **WE_END,
    ),
    # Refusals
    *(refused(code, reason) for code, reason in REFUSALS.items()),
    refused(302, "failed", "Contact: <sip:elsewhere@127.0.0.1:9>"),
    refused(503, "failed", "Retry-After: 30", name="503 with Retry-After", retry_after_s=30),
    refused(503, name="503 without Retry-After"),
    refused(480, "busy", "Reason: Q.850;cause=17", name="480 with cause 17"),
    refused(603, "failed", 'Reason: SIP;cause=603, Q.850;cause=1;text="a, b"', name="603 with cause 1"),
    Row(
        name="486 at once", ladder=("> INVITE", "< 486", "> ACK"), told=("Sent",), outcomes=("busy",), why="refused",
        local=False, sip_code=486,
    ),
    Row(
        name="180, 486", ladder=("> INVITE", "< 180", "< 486", "> ACK"), told=RUNG, outcomes=("busy",), why="refused",
        local=False, sip_code=486,
    ),
    # Digest
    login(401, "MD5", chosen="MD5"),
    login(401, "SHA-256", chosen="SHA-256"),
    login(407, "MD5", chosen="MD5"),
    login(407, "SHA-256", chosen="SHA-256"),
    login(401, "MD5", "SHA-256", chosen="SHA-256"),
    unanswered_challenge(
        "401 of another realm", "< 401 | WWW-Authenticate: " + ASKS.format(realm="evil", more=""), "> ACK"
    ),
    unanswered_challenge("401 for ever", TRUNK_401, "> ACK", CREDENTIALS, TRUNK_401, "> ACK", credentials=1),
    unanswered_challenge(
        "401 without Digest", '< 401 | WWW-Authenticate: Basic realm="trunk"', "> ACK"
    ),
    # The ring limit
    ring_limit("180 then silence", "< 180", *CANCELLED),
    ring_limit("100 then silence", "< 100", *CANCELLED, told=TRIED),
    ring_limit("183 with media then silence", "< 183 sdp", *CANCELLED),
    ring_limit("the CANCEL waits for a provisional", "wait 1500", "< 180", *CANCELLED),
    ring_limit("a 200 crosses the CANCEL", "< 180", "> CANCEL", "< 200", "< 200 invite sdp", *IS_REFUSED,
        sip_code=200),
    ring_limit("a 200 comes before the CANCEL's", "< 180", "> CANCEL", "< 200 invite sdp once", *IS_REFUSED,
        sip_code=200),
    ring_limit("a 486 crosses the CANCEL", "< 180", "> CANCEL", "< 200", "< 486 invite", "> ACK", sip_code=486),
    ring_limit("the CANCEL is refused", "< 180", "> CANCEL", "< 481", "< 487 invite", "> ACK"),
    ring_limit("the CANCEL is never answered", "< 180", "> CANCEL", "wait 40000", sip_code=0, silent=True),
    ring_limit("never a word", "wait 40000", told=("Sent",), why="no-response", outcomes=("dialout",), sip_code=0,
        silent=True),
    # Answers more than once
    Row(
        name="a repeated 200",
        ladder=("> INVITE", "< 180", "< 200 sdp", "> ACK", *HANGS_UP), told=ANSWERED, accept_ms=1_700, **THEY_END,
    ),
    Row(
        name="a third of the ACKs lost",
        ladder=("> INVITE", "< 180", "< 200 sdp", "> ACK lost=33", *HANGS_UP), told=ANSWERED, up_ms=20_000, **THEY_END,
    ),
    Row(
        name="two forks answer",
        ladder=(
            "> INVITE", "< 180 tag=a", "< 180 tag=b", "< 200 sdp tag=a", "> ACK has=tag=a", "< 200 invite sdp tag=b",
            "> BYE has=tag=b", "< 200", "> ACK has=tag=b", "< BYE tag=a", "> 200",
        ),
        told=ANSWERED, **THEY_END,
    ),
    Row(
        name="three forks answer",
        ladder=(
            "> INVITE", "< 200 sdp tag=a", "> ACK has=tag=a", "< 200 invite sdp tag=b", "> BYE has=tag=b",
            "< 200", "> ACK has=tag=b", "< 200 invite sdp tag=c", "> BYE has=tag=c", "< 200", "> ACK has=tag=c",
            "< BYE tag=a", "> 200",
        ),
        told=("Sent", "Answered"), **THEY_END,
    ),
    # The end
    in_talk("the far end hangs up"),
    Row(
        name="crossing BYEs", ladder=("> INVITE", "< 180", "< 200 sdp", "> ACK", "< BYE", "> BYE", "< 481", "> 200"),
        told=ANSWERED, **WE_END,
    ),
    Row(
        name="the BYE is refused", ladder=("> INVITE", "< 180", "< 200 sdp", "> ACK", "> BYE", "< 500"), told=ANSWERED,
        **WE_END,
    ),
    Row(
        name="the BYE is never answered", ladder=("> INVITE", "< 180", "< 200 sdp", "> ACK", "> BYE", "wait 40000"),
        told=ANSWERED, silent=True, **WE_END,
    ),
    # While it is up
    in_talk(
        "hold and resume", "< INVITE hold", "> 200 has=a=recvonly", "< ACK", "< INVITE sdp", "> 200 has=a=sendrecv",
        "< ACK",
    ),
    in_talk(
        "UPDATE to hold and to resume", "< UPDATE hold", "> 200 has=a=recvonly", "< UPDATE sdp",
        "> 200 has=a=sendrecv",
    ),
    in_talk("re-INVITE without an offer", "< INVITE", "> 200 has=RTP/AVP~0~8", "< ACK"),
    in_talk(
        "re-INVITE that needs an extension", "< INVITE sdp | Require: timer", "> 420 has=Unsupported:~timer", "< ACK",
    ),
    in_talk("OPTIONS, INFO, REFER", "< OPTIONS", "> 200", "< INFO", "> 200", "< REFER", "> 603"),
    # Out of the machine
    Row(
        name="a Contact out of the machine",
        ladder=("> INVITE", "< 200 sdp once | Contact: <sip:far@192.0.2.1:5060>", "wait 500"),
        told=("Sent", "Answered"), outcomes=("failed",), why="refused-address", local=True, sip_code=200,
    ),
    Row(
        name="a Record-Route out of the machine",
        ladder=("> INVITE", "< 200 sdp once | Record-Route: <sip:192.0.2.1;lr>", "wait 500"),
        told=("Sent", "Answered"), outcomes=("failed",), why="refused-address", local=True, sip_code=200,
    ),
    # Loss
    Row(
        name="a quarter lost, answered", lost=25,
        ladder=("> INVITE", "< 100", "< 180", "< 200 sdp", "> ACK", *IS_HUNG_UP, "linger 33000"), told=(),
        outcomes=("normal", "dialout", "noanswer"), hang_up_ms=0,
    ),
    Row(
        name="a quarter lost, the far end hangs up", lost=25, hang_up_ms=8_000, told=(),
        ladder=("> INVITE", "< 100", "< 180", "< 200 sdp", "> ACK", *HANGS_UP, "linger 33000"),
        outcomes=("normal", "dialout", "noanswer"),
    ),
    Row(
        name="a quarter lost, refused", lost=25, told=(),
        ladder=("> INVITE", "< 486", "> ACK", "linger 33000"), outcomes=("busy", "dialout", "noanswer"),
    ),
    Row(
        name="a quarter lost, cancelled", lost=25, ring_limit_ms=3_000, told=(),
        ladder=("> INVITE", "< 180", *CANCELLED, "linger 33000"), outcomes=("noanswer", "dialout"),
    ),
]  # fmt: skip
