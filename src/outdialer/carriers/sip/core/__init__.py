"""PURE SIP (RFC 3261): bytes and now in; bytes, events and the next deadline out."""
