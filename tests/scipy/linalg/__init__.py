"""Tests of pullback.scipy.linalg."""
