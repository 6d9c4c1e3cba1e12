"""Evaluation: metrics, baselines, the picture of reconstructions, and the whole run."""
