"""All of SciPy's distributions: a derivative is right or refused, by name, and never wrong."""

from __future__ import annotations

import pytest

from pullback.errors import NoRuleError
from tests.scipy.stats.methods import CONTINUOUS, disagreement, subjects

METHODS = ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf")

UNSTABLE = {"fatiguelife", "erlang", "kappa4"}
"""Distributions whose shapes in SciPy's list leave no room for differences."""


def trials(name, methods, tolerance):
    """What is wrong with the methods of a distribution, and what is said where one is refused."""
    wrong, refused = [], []
    for subject in subjects(name, methods):
        try:
            wrong.append(disagreement(subject, tolerance))
        except NoRuleError as error:
            refused.append(str(error))
    return list(filter(None, wrong)), refused


@pytest.mark.parametrize("name", sorted(set(CONTINUOUS) - UNSTABLE))
def test_probabilities_are_right_or_refused(name):
    wrong, refused = trials(name, METHODS, 1e-6)
    assert not wrong
    assert all("scipy." in text for text in refused)
