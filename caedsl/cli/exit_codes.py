"""Exit codes of every command."""

FINE = 0
"""All is well."""
FINDINGS = 1
"""The spec has findings, the format differs, or a monitor stopped the run."""
COULD_NOT_RUN = 2
"""Wrong usage, or something that cannot be read, written or done."""
INTERRUPTED = 130
"""Ctrl-C, as shells report it: 128 plus the number of SIGINT."""
