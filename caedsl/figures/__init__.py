"""Diagrams of a model, plots and the report."""
