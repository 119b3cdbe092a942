"""Functions that let a traced value escape to every kind of place there is."""

from __future__ import annotations

import functools

import numpy as np

__all__ = ["ESCAPES", "Model", "in_a_list"]


class Model:
    shared = None

    def remember(self, v):
        self.state = np.cos(v)
        return v

    def share(self, v):
        Model.shared = np.cos(v)
        return v


def _in_a_global(v):
    globals()["leaked"] = np.cos(v)
    return v


def _in_a_default(v, cache={}):  # noqa: B006  # the mistake that is to be caught
    cache["last"] = np.cos(v)
    return v


def _in_an_attribute(v):
    _in_an_attribute.state = np.cos(v)
    return v


def in_a_list(kept):
    def f(v):
        kept.append(np.cos(v))
        return v

    return f


def _in_an_enclosing_variable():
    last = None

    def f(v):
        nonlocal last
        last = np.cos(v)
        return v

    def get():
        return last

    f.get = get
    return f


def _in_an_exception(errors):
    def f(v):
        try:
            raise ValueError(np.cos(v))
        except ValueError as error:
            errors.append(error)
        return v

    return f


def _in_a_generator(kept):
    def count(v):
        c = np.cos(v)
        yield c
        yield c

    def f(v):
        steps = count(v)
        kept.append(steps)
        return next(steps)

    return f


def _in_a_cache():
    @functools.lru_cache
    def cosine(key):
        return np.cos(key.v)

    class Key:
        def __init__(self, v):
            self.v = v

    return lambda v: cosine(Key(v))


class Tuples(list):
    def append(self, x):
        super().append((x,))


MODEL = Model()
KEPT = []
ESCAPES = {
    "global": lambda: _in_a_global,
    "default argument": lambda: _in_a_default,
    "attribute of a function": lambda: _in_an_attribute,
    "attribute": lambda: MODEL.remember,
    "class attribute": lambda: MODEL.share,
    "list": lambda: in_a_list(KEPT),
    "list of a function": lambda: in_a_list([]),
    "tuples": lambda: in_a_list(Tuples()),
    "enclosing variable": _in_an_enclosing_variable,
    "exception": lambda: _in_an_exception([]),
    "generator": lambda: _in_a_generator([]),
    "cache": _in_a_cache,
}
