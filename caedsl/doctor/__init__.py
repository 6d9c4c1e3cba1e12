"""Find out why training fails: probes, ranked causes, and repairs that were tried."""
