"""Watching a run: when it is probed, what is measured, and what happens with the findings of the monitors.

The monitors themselves are the files of ``caedsl.training.monitors``.
"""
