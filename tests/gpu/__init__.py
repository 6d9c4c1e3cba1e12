"""Tests that need a GPU. ``pytest tests/gpu`` runs all of them; without CUDA they are skipped.

``CAEDSL_GPU_TESTS_ON=cpu`` runs the tests that do not need CUDA on the CPU, to try them.
"""
