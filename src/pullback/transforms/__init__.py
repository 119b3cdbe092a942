"""Transformations: pushforward, pullback and the derivatives made of them.

Nothing in here knows a primitive by name.
"""
