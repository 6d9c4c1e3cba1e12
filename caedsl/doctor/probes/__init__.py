"""Probes, one per file: quick measurements of data, network and first steps."""
