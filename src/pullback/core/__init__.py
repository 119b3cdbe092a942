"""The engine: tracers, interpreter levels, primitives, linear maps, shapes and trees.

Nothing in here knows a NumPy function's derivative, and nothing imports from another part of
pullback but :mod:`pullback.errors`.
"""
