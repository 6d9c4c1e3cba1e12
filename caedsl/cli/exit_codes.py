"""Exit codes of all commands."""

FINE = 0
"""Exit with this code if everything is fine."""
FINDINGS = 1
"""Exit with this code if the spec has findings, its format differs, or a monitor stopped the run."""
COULD_NOT_RUN = 2
"""Exit with this code for wrong usage, or if something cannot be read, written or done."""
INTERRUPTED = 130
"""Exit with this code after Ctrl-C, as shells report it: 128 plus the number of SIGINT."""
