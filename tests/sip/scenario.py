"""Ladders to SIPp: a scenario is written as the messages its far end hears and says, one short line each.

``> INVITE``            it hears a request; ``> 200``: a response. Options: ``lost=50`` (per cent), ``has=text``
                        (regular expression, in the message).
``< 180``, ``< BYE``    it says something. Options: ``sdp``, ``hold`` (sdp, sendonly), ``tag=b`` (another fork),
                        ``invite`` (answers the INVITE although something else was heard since), ``once`` (not resent).
``wait 500``            milliseconds of silence.
``linger 30000``        it keeps answering what is repeated, ms, after its call is done.

Further text after `` | `` is header lines, separated by `` | ``.
"""

from xml.sax.saxutils import quoteattr

REASONS = {
    100: "Trying", 180: "Ringing", 181: "Forwarded", 182: "Queued", 183: "Session Progress", 199: "Early Dialog Ended",
    200: "OK", 202: "Accepted", 401: "Unauthorized", 407: "Proxy Login", 481: "Gone", 487: "Cancelled",
}  # fmt: skip
CONTACT = "Contact: <sip:far@[local_ip]:[local_port]>"
SDP = """v=0
o=far 1 [count] IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 6000 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
"""
REMEMBERED = ("via", "from", "to", "cseq")
"""Variables of each INVITE heard: answers to it may come after other messages."""


class Writer:
    """Turns the lines of one ladder into XML."""

    def __init__(self, ladder: tuple[str, ...]) -> None:
        self._steps = [step.split(" | ") for step in ladder]
        self._heard = ""
        self._asked = 0
        self._counts: list[str] = []

    def scenario(self, name: str) -> str:
        """The whole file."""
        body = "\n".join(self._step(number) for number in range(len(self._steps)))
        used = ",".join([*REMEMBERED, *self._counts])
        return (
            f'<?xml version="1.0" encoding="us-ascii"?>\n<scenario name={quoteattr(name)}>\n{body}\n'
            f'  <Reference variables="{used}"/>\n</scenario>\n'
        )

    def _step(self, number: int) -> str:
        words = self._steps[number][0].split()
        kind, what, options = words[0], words[1], words[2:]
        if kind == "wait":
            return f'  <pause milliseconds="{what}"/>'
        if kind == "linger":
            return f'  <timewait milliseconds="{what}"/>'
        if kind == ">":
            return self._hear(number, what, options)
        following = self._steps[number + 1][0] if number + 1 < len(self._steps) else ""
        final = not what.isdecimal() or int(what) >= 200
        resent = final and following.startswith("> ") and what != "ACK" and "once" not in options
        return self._say(what, options, self._steps[number][1:], resent=resent)

    def _hear(self, number: int, what: str, options: list[str]) -> str:
        kind = "response" if what.isdecimal() else "request"
        if kind == "request":
            self._heard = what
        lost = next((f' lost="{option[5:]}"' for option in options if option.startswith("lost=")), "")
        actions = ""
        if what == "INVITE":
            names = zip(REMEMBERED, ("Via:", "From:", "To:", "CSeq:"), strict=True)
            actions = "".join(
                f'\n      <ereg regexp=".*" search_in="hdr" header="{header}" assign_to="{variable}"/>'
                for variable, header in names
            )
        for option in options:
            if option.startswith("has="):
                variable = f"has{number}"
                self._counts.append(variable)
                text = quoteattr(option[4:].replace("~", " "))
                actions += (
                    f'\n      <ereg regexp={text} search_in="msg" check_it="true" assign_to="{variable}"/>'
                    f'\n      <log message="[${variable}]"/>'
                )
        inside = f">\n    <action>{actions}\n    </action>\n  </recv>" if actions else "/>"
        return f'  <recv {kind}="{what}"{lost}{inside}'

    def _say(self, what: str, options: list[str], headers: list[str], *, resent: bool) -> str:
        tag = next((option[4:] for option in options if option.startswith("tag=")), "far") + "[call_number]"
        lines = self._response(int(what), options, tag) if what.isdecimal() else self._request(what, tag)
        if not any(header.startswith("Contact:") for header in headers):
            headers = [CONTACT, *headers]
        body = ""
        if "sdp" in options or "hold" in options:
            headers = [*headers, "Content-Type: application/sdp"]
            body = SDP.replace("[count]", str(self._asked + 1)) + ("a=sendonly\n" if "hold" in options else "")
        text = "\n".join([*lines, *headers, f"Content-Length: {'[len]' if body else 0}", "", body])
        retrans = ' retrans="500"' if resent else ""
        return f"  <send{retrans}>\n    <![CDATA[\n{text}\n    ]]>\n  </send>"

    def _response(self, status: int, options: list[str], tag: str) -> list[str]:
        start = f"SIP/2.0 {status} {REASONS.get(status, 'Refused')}"
        if self._heard != "INVITE" and "invite" not in options:
            to_value = "[last_To:]" + (f";tag={tag}" if self._heard == "CANCEL" else "")
            return [start, "[last_Via:]", "[last_From:]", to_value, "[last_Call-ID:]", "[last_CSeq:]"]
        to_value = "To:[$to]" + (f";tag={tag}" if status > 100 else "")
        return [start, "Via:[$via]", "From:[$from]", to_value, "Call-ID: [call_id]", "CSeq:[$cseq]"]

    def _request(self, method: str, tag: str) -> list[str]:
        self._asked += method != "ACK"
        return [
            f"{method} sip:outdialer@[remote_ip]:[remote_port] SIP/2.0",
            "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]", "Max-Forwards: 70",
            f"From:[$to];tag={tag}", "To:[$from]", "Call-ID: [call_id]", f"CSeq: {self._asked} {method}",
        ]  # fmt: skip


def scenario(name: str, ladder: tuple[str, ...]) -> str:
    """SIPp's XML for a ladder."""
    return Writer(ladder).scenario(name)
