"""Benchmarks: what the library's speed claims rest on. `make bench` runs them."""
