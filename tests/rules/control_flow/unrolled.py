"""Loops and branches as plain Python: what those of pullback must agree with.

The functions take the arguments of pullback's, so that a program can be written once and run with
either: ``program(pb, x)`` and ``program(unrolled, x)``.
"""

from __future__ import annotations

import numpy as np
import optree

__all__ = ["checkpoint", "cond", "fori_loop", "scan", "switch", "while_loop"]


def _map(function, *trees):
    return optree.tree_map(function, *trees, namespace="pullback")


def _owned(tree):
    """A copy, to which a body may write."""
    return _map(lambda leaf: leaf.copy() if hasattr(leaf, "copy") else leaf, tree)


def scan(body, carry, xs=None, length=None, reverse=False, checkpoint=None):
    leaves = optree.tree_leaves(xs, namespace="pullback")
    n = len(leaves[0]) if leaves else length
    carry, ys = _owned(carry), []
    for k in reversed(range(n)) if reverse else range(n):
        carry, y = body(carry, _map(lambda leaf, k=k: leaf[k], xs))
        ys.append(_owned(y))
    if reverse:
        ys.reverse()
    return carry, _map(lambda *rows: np.stack(rows), *ys)


def fori_loop(lower, upper, body, carry, checkpoint=None):
    carry = _owned(carry)
    for i in range(lower, upper):
        carry = body(np.int64(i), carry)
    return carry


def while_loop(condition, body, carry):
    carry = _owned(carry)
    while condition(carry):
        carry = body(carry)
    return carry


def cond(predicate, if_true, if_false, *operands):
    return if_true(*operands) if predicate else if_false(*operands)


def switch(index, branches, *operands):
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


def checkpoint(f):
    return f
