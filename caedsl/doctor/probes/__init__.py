"""The probes, one file each: what a few seconds of looking at data, network and first steps show."""
