"""Report of a run: one page of HTML that needs nothing else."""
