"""The shell that lets time pass."""
