"""Merging of trees: a variant with its base, and a spec with the settings of ``--set`` or ``sweep``."""
