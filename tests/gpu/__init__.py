"""What only a GPU can show. One command runs all of it: ``pytest tests/gpu``; without CUDA it is skipped.

``CAEDSL_GPU_TESTS_ON=cpu`` runs on the CPU what does not need CUDA itself, to try the tests.
"""
