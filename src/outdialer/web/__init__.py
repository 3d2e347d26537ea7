"""Opening connections to addresses that somebody else wrote down: guarded at the socket."""
