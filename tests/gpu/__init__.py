"""Tests that need a GPU. ``pytest tests/gpu`` runs all of them; without CUDA they are skipped.

``CAEDSL_GPU_TESTS_ON=cpu`` runs on the CPU what does not need CUDA itself, to try the tests.
"""
