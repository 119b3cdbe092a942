"""What happens without the packages of the extra."""

from __future__ import annotations

import pytest

from pullback_demo import extra


def test_nothing_is_said_when_nothing_is_missing():
    extra.require_extra()


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"sklearn"}, "the demo needs scikit-learn, which is not installed"),
        ({"matplotlib", "rich"}, "the demo needs matplotlib, rich, which are not installed"),
    ],
)
def test_the_missing_packages_are_named_with_the_remedy(monkeypatch, missing, words):
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name in missing else object())
    with pytest.raises(extra.MissingExtraError) as caught:
        extra.require_extra()
    assert words in str(caught.value)
    assert 'pip install "pullback[demo]"' in str(caught.value)
    assert isinstance(caught.value, ImportError)
