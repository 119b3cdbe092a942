"""What is said of an argument that does not fit."""

from __future__ import annotations

import pytest

import pullback as pb


def refusal(kind, call, *args, **kwargs):
    """The text of the error that a call raises."""
    with pytest.raises(kind) as caught:
        call(*args, **kwargs)
    assert isinstance(caught.value, pb.PullbackError)
    return str(caught.value)
