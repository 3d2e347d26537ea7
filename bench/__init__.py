"""Benchmarks: each prints a ratio against a baseline that ran beside it in the same command."""
