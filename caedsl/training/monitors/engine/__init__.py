"""Watching a run: when it is looked at, what is measured then, and what comes of what a monitor says.

The monitors themselves are the files of ``caedsl.training.monitors``.
"""
