"""Diagrams of a model."""
