"""What happened, told to clients: events with the objects that they are about, and the ways they go out."""
