"""Why training fails: probes, ranked causes, and repairs that were tried."""
