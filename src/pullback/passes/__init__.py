"""Simplifications of graphs: a file per pass, run to a fixed point by `simplification`."""
