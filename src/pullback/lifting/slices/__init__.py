"""Slices whose length is not known: arrays of maximal extent, of which a part counts."""
