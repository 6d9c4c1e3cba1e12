"""The run folder and its files; needs neither torch nor a training loop."""
