"""Pure decisions: no clock, loop, disk, network, randomness or logging. Values come in, values go out."""
