"""Probes of a run: their schedule, their measurements, and the handling of the monitors' findings.

The monitors themselves are the files of ``caedsl.training.monitors``.
"""
