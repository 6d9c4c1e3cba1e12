"""Evaluation: metrics, baselines, pictures of reconstructions, and complete runs."""
