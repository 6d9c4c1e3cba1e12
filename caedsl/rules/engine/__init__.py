"""Run, verify, allow, configure and document rules."""
