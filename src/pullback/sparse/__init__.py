"""Sparse derivatives: patterns, cuts, colourings and values."""
