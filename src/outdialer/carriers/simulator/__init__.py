"""A seeded phone network without packets, for tests, forecasts and benchmarks."""
