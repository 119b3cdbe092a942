"""Primitives of the user's own, under every transformation."""
