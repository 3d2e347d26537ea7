"""The built-in phone network: real SIP and RTP on loopback, with a parser of its own."""
