"""Suspicions from evidence, one file for each part of the evidence."""
