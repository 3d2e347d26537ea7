"""outdialer: an outbound calling campaign engine."""

__version__ = "0.1.0"
