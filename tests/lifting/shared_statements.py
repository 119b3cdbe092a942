"""What random programs are made of whose state is shared: statements by kind, with places.

``{y}`` and ``{z}`` are arrays, ``{k}`` is an index, ``{e}`` a number, ``{c}`` a condition, ``{i}``
an index from 0, ``{m}`` a number from 0 to 4, and ``{w}`` a name that nothing else binds.
"""

from __future__ import annotations

HELPERS = """
class Box:
    def __init__(self, held, rate):
        self.held = held
        self.rate = rate

    def scaled(self, v):
        if v > 0.1:
            return v * self.rate
        return v - self.rate


def clipped(v, top):
    if v > top:
        return top * 0.5 + v * 0.1
    return v


def put(y, k, v):
    y[k] = v


def first_above(y, low):
    for k in range(len(y)):
        if y[k] > low:
            return y[k] * k
    return low


def larger(y, z):
    return y if y[0] > z[0] else z


def count_down(k, v):
    while k > 0:
        k -= 1
        if v < 0.05:
            continue
        v *= 0.8
    return v
"""

BEGINNINGS = {
    "views": ["v = a[1:]", "u = b[::-1]"],
    "rows": ["M = np.outer(x[:4], x) + 0.1", "w = M[1]"],
    "alias": ["c = a"],
    "list": ["L = [a, b]"],
    "dict": ["D = {'a': a, 's': 0.3}"],
    "box": ["o = Box(a, 0.7)"],
    "pair": ["p = (0.2, x[3])"],
    "arrays": ["q = (a, b)"],
    "swaps": ["d = 0.3 * x"],
    "integers": ["e = np.array([2, 0, 5, 1, 4, 3])"],
    "closure": [], "shared": [], "while": [], "leaving": [], "else": [], "slices": [], "masks": [],
    "rebinding": [], "chains": [], "zero": [], "calls": [], "unset": [], "late": [], "with": [],
}  # fmt: skip
"""Kinds of statements, and what they need at the beginning."""

ENDS = {
    "views": "np.sum(v * v) + u[1]", "rows": "np.sum(np.sin(M)) + w[2]", "alias": "np.sum(c)",
    "list": "np.sum(L[0] * L[1])", "dict": "np.sum(D['a']) * D['s']",
    "box": "np.sum(o.held) * o.rate", "pair": "p[0] * p[1]", "arrays": "np.sum(q[0] * q[1])",
    "swaps": "np.sum(d * x)",
}  # fmt: skip

FUNCTIONS = {
    "closure": ("def inner(k, v):", [
        ["if v > 0.1:", "    a[k] = v", "return v * 0.5"],
        ["a[k] += v", "b[0] = a[k] * 0.3", "return a[k] + s"],
        ["for m in range(4):", "    if a[m] > v:", "        return a[m] * 0.1", "return v"],
        ["y = b", "if k > 2:", "    y = a", "return y[k] * v"],
        ["y = a[k:]", "y *= 0.9", "return np.sum(y)"],
    ]),
    "shared": ("def note(v):", [
        ["nonlocal s, n", "s = s + 0.1 * v", "n += 1"],
        ["nonlocal s, n, a", "if v > 0.2:", "    s = v * s", "else:", "    n += 1"],
        ["nonlocal s, n", "n += 1", "for m in range(5):", "    s += 0.1 * v * x[m]"],
    ]),
}  # fmt: skip
"""Functions inside, which read and write what is around them."""

STATEMENTS = {
    "": ["{y}[{k}] = {e}", "{y}[{k}] += 0.5 * {e}", "s += 0.3 * {e}", "t = {e}",
         "s = np.tanh(s + {e})", "{y} *= 0.7", "n += 1", "r = {e}\ns = s + 0.1 * r"],
    "rebinding": ["{y} = 0.5 * {y} + 0.1 * x", "{y} = {z}", "{y} = {z} + x", "{y} = {z}.copy()",
                  "{y} = np.where({y} > 0.2, {y}, x)", "{y} = np.zeros(6)"],
    "views": ["v[{m}] = {e}", "u[{k}] += 0.1 * {e}", "v *= 0.8", "v = b[:-1]", "u = a[::-1]",
              "v = v[::-1]", "v = {y}[1:]", "u[1:] = v"],
    "rows": ["M[1, {k}] = {e}", "w[{k}] = {e}", "w = M[2]", "w = w * 0.5", "M[0] += w", "M *= 0.9",
             "M[:, 1] = M[:, 0]", "M[-1] = {y}", "{y}[:] = w", "M = M + 0.1", "{y} = M[0]"],
    "alias": ["c = b", "c = a", "c[{k}] = {e}", "c = c + 0.1", "a = c", "c *= 0.9"],
    "list": ["L[0][{k}] = {e}", "L[1] = {y}", "L[0] = L[0] * 0.5", "L = [b, {y}]", "a, b = L",
             "L[1] *= 0.9", "a = L[1]"],
    "dict": ["D['a'][{k}] = {e}", "D['a'] = {y}", "D['s'] = {e}", "D['s'] += {e}", "{y} = D['a']",
             "D = {{'a': b, 's': s}}"],
    "box": ["o.held[{k}] = {e}", "o.held = {y}", "o.rate = {e}", "o.rate *= {e}", "{y} = o.held",
            "o = Box(b, t)", "o.held *= 0.9"],
    "pair": ["p = (p[1], {e})", "p = (s, {e})", "s, t = p", "p = p[::-1]", "p = ({e}, p[0])"],
    "arrays": ["q = (q[1], {y})", "a, b = q", "q[0][{k}] = {e}", "q = (a * 0.5, b)", "q = q[::-1]"],
    "swaps": ["a, b = b, a", "a, b, d = d, a, b", "s, t = t, s", "a[1], a[2] = a[2], a[1]",
              "d = {y}", "tmp = a\na = b\nb = tmp", "a[:], b[:] = b, a"],
    "masks": ["{y}[{y} > 0.2] = {e}", "{y}[{y} < 0] *= 0.5", "{y}[{z} > 0] += {z}[{z} > 0]",
              "g = {y} > 0.1\n{y}[g] = 0.3 * {z}[g]"],
    "slices": ["{y}[:{i}] *= 0.9", "{y}[{i}:] = 0.5 * {z}[{i}:]",
               "{y}[1:-1] = 0.5 * ({z}[:-2] + x[2:])", "h = {y}[:{i}]\ns += np.sum(h)",
               "h = {y}[{i}:]\nh += 0.1"],
    "calls": ["put({y}, {k}, {e})", "put({y}[1:], 0, {e})", "{y} = larger(a, b)"],
    "closure": ["s += 0.1 * inner({i}, {e})"],
    "shared": ["note({e})"],
    "integers": ["n = (n * 3 + 1) % 7", "n = n + e[{k}]", "{y}[n % 6] = {e}", "n //= 2",
                 "{y}[e] = {z}", "{y} = {z}[e]", "{y}[e[1:4]] += {e}", "e = e[::-1]"],
    "unset": ["if {c}:\n    {w} = {e}\nelse:\n    {w} = t\ns += 0.1 * {w}",
              "{w} = {y}\nif {c}:\n    {w} = {z} * 0.5\ns += {w}[{k}]",
              "if {c}:\n    {y} = {z} * 2.0\n{y} = {y} + 0.1",
              "while ({w} := {e}) > 0.2:\n    s += {w}\n    break"],
    "with": ["if (w0 := {e}) > 0.1:\n    s += w0", "assert {y}.shape == (6,)",
             "s += sum([{y}[m] for m in range(3)])"],
}  # fmt: skip

NUMBERS = {
    "": ["{0} + {1}", "{0} * {1}", "np.sin({0}) - {1}", "0.5 * ({0} + {1})", "np.tanh({0})",
         "({0} if {1} > 0 else {1})", "{0}", "max({0}, {1})", "0.1 * n"],
    "calls": ["clipped({0}, 0.4)", "first_above(a, 0.2)", "count_down(n % 4, {0})",
              "larger(a, b)[2]", "abs({0})", "float(n)"],
    "closure": ["inner({i}, {0})"] * 3,
    "box": ["o.scaled({0})", "o.rate * {0}"],
    "chains": ["({0} or {1})", "({0} and {1})", "({0} > 0 and {1} > 0) * 0.5"],
    "masks": ["np.sum(a[a > 0.1])", "np.sum(np.where(b > 0, a, b))", "np.sum((a > 0) * b)"],
    "slices": ["np.sum(a[:{i}])", "a[{i}:] @ b[{i}:]", "np.sum(x[{i}:] * b[{i}:])"],
}  # fmt: skip
"""Numbers that are computed from others, ``{0}`` and ``{1}``."""

ELEMENTS = {
    "": ["x{k}", "x{k}", "a{k}", "b{k}"], "views": ["v[{m}]", "u{k}"],
    "rows": ["M[1, {l}]", "M[-1, {l}]", "w{k}"], "alias": ["c{k}"], "list": ["L[0]{k}", "L[1]{k}"],
    "dict": ["D['a']{k}"], "box": ["o.held{k}"], "pair": ["p[0]", "p[1]"],
    "arrays": ["q[0]{k}", "q[1]{k}"], "swaps": ["d{k}"],
}  # fmt: skip
"""Elements of arrays: ``{k}`` is an index in brackets, ``{l}`` is one without."""

CONDITIONS = {
    "": ["{0} > 0.2", "{0} > 0.0", "{0} > -0.3", "s < 0.5", "n % 2 == 0", "{0} < {1}"],
    "chains": ["-0.3 < {0} < 0.4", "{0} < {1} <= s", "{0} > 0 or {1} > 0",
               "not ({0} > 0 and t < 0.2)", "{0} > 0 and not {1} > 0.1",
               "(0.1 if {0} > 0 else s) < 0.3", "0 < n < 3", "{0} or {1}"],
    "masks": ["np.any(a > 0.3)", "(b < 0.9).all()"],
}  # fmt: skip

INDEXED = [
    "{i} % 2 == 0",
    "{i} > 2",
    "{i} + 1 < 6 and x[{i} + 1] > 0.1",
    "not {i} == 3",
    "{i} == 4",
]
"""Conditions that the index of a loop decides."""
