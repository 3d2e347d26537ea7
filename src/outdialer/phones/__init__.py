"""The built-in phone network: real SIP and RTP on loopback, with a parser of its own.

``network.PhoneNetwork`` is what tests start, ``command.phones`` what people start, ``ledger`` what it writes down.

A datagram goes ``datagrams`` > ``switchboard`` (whose call is it; by ``message``) > ``callee`` (what the phone does,
when) > ``wire`` (booked, lost or sent). ``call`` has the states, ``audio`` the ears.
"""
