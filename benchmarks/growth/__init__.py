"""How time and memory grow with samples and layers: ``python -m benchmarks growth``."""
