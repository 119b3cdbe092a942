"""The functions of `scipy.special`, a file per family, loaded with that module."""
