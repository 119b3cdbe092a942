"""Graphs to machine code, a folder per stage."""
