"""Ways to place calls."""
