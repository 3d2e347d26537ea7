"""What the engine needs from the outside, as Protocols, with the structs exchanged. No behaviour lives here."""
