"""Graphs: programs recorded as primitives in static single assignment.

Nothing in here knows a primitive by name.
"""
