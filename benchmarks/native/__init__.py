"""Compiled derivatives beside JAX's and PyTorch's: ``python -m benchmarks native``."""
