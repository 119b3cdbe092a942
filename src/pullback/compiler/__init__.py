"""Graphs to machine code, stage by stage."""
