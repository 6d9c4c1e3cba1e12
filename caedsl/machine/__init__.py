"""The machine: the cores and the memory that this process may use."""
