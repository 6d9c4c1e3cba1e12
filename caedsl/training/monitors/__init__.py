"""The monitors, one per file: the module docstring is the documentation, and ``look`` yields the findings."""
