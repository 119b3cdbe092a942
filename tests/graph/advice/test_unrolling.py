"""Long Python loops: one warning, which shows the line and a rewritten loop that does the same."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import pullback as pb
from pullback.graph.advice.unrolling import MOST

N = 2 * MOST
SERIES = np.linspace(0.0, 1.0, N)
PAIRS = [(np.full(2, 0.5), np.full(2, 0.25 * k / N)) for k in range(N)]
ROWS = list(np.linspace(0.0, 1.0, 2 * N).reshape(N, 2))


def warnings_of(f, *args):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pb.trace(f, *args)
    return [each for each in caught if each.category is pb.UnrolledLoopWarning]


# -- the rewritten loop ----------------------------------------------------------------------------

# Each returns its local names at the end, so that the rewritten loop can be run in their midst.


def euler(x):
    h = 0.5 / N
    for i in range(N):
        k = np.tanh(x)
        x = x + h * k + i
    return dict(locals())


def two_names(x):
    y = x * 2
    for i in range(1, N):
        x, y = y, 0.5 * x + i
    return dict(locals())


def element_updates(x):
    y = np.zeros(N, like=x)
    y[0] = x[0]
    for i in range(1, N):
        # a comment
        y[i] = 0.5 * y[i - 1]
        y[i] += 1.0
    return dict(locals())


def strided(x):
    total = 0.0 * x
    for i in range(2 * N, 0, -2):
        total = total + i * x
    return dict(locals())


def reversed_range(x):
    for i in reversed(range(N)):
        x = 0.5 * x + i
    return dict(locals())


def scanned(x):
    for s in SERIES:
        x = 0.5 * x + s
    return dict(locals())


def scanned_list(x):
    rows = ROWS
    for row in rows:
        x = 0.5 * x + row
    return dict(locals())


def pairs(x):
    layers = PAIRS
    for w, b in layers:
        x = w * x + b
    return dict(locals())


def zipped(x):
    a, b = SERIES, SERIES[::-1]
    for s, t in zip(a, b, strict=True):
        x = s * x + t
    return dict(locals())


def enumerated(x):
    for k, s in enumerate(SERIES):
        x = 0.5 * x + k * s
    return dict(locals())


def collected(x):
    ys = []
    for i in range(N):
        x = 0.5 * x + i
        ys.append(np.sum(x))
    return dict(locals())


def only_collected(x):
    ys = []
    for s in SERIES:
        ys.append(s * x)
    return dict(locals())


def while_loop(x):
    k = 0
    while k < N:
        x = 0.5 * x + k
        k += 1
    return dict(locals())


def one_line(x):
    for _ in range(N): x = 0.5 * x; x = x + 1.0  # noqa: E701, E702  # fmt: skip
    return dict(locals())


def branches_inside(x):
    best = x
    for i in range(N):
        y = 0.5 * x + i
        for _ in range(1):
            best = best + y
        with np.errstate(all="ignore"):
            x = y
    return dict(locals())


def temporary_names(x):
    best = 0.0 * x
    for i in range(N):
        y = x + i
        for k in range(2):
            y = y + k
        best = np.maximum(best, y)
    return dict(locals())


CARRIED = {
    euler: "x", two_names: "x y", element_updates: "y", strided: "total", reversed_range: "x",
    scanned: "x", scanned_list: "x", pairs: "x", zipped: "x", enumerated: "x", collected: "x ys",
    only_collected: "ys", while_loop: "x k", one_line: "x", branches_inside: "x best",
    temporary_names: "best",
}  # fmt: skip
"""What the rewritten loop assigns: what is read in the next iteration, and what is collected."""


def scan(body, carry, xs, *, reverse=False):
    leaves = xs if isinstance(xs, tuple) else (xs,)
    order = range(len(leaves[0]))
    ys = []
    for k in reversed(order) if reverse else order:
        carry, y = body(carry, tuple(x[k] for x in xs) if isinstance(xs, tuple) else xs[k])
        ys.append(y)
    return carry, None if ys[0] is None else np.stack(ys)


def fori_loop(lower, upper, body, carry):
    for i in range(lower, upper):
        carry = body(i, carry)
    return carry


def while_(condition, body, carry):
    while condition(carry):
        carry = body(carry)
    return carry


PLAIN = SimpleNamespace(scan=scan, fori_loop=fori_loop, while_loop=while_)
"""What the loops do, in Python."""


def rewritten_code(message):
    (code,) = re.findall(r"recorded once:\n\n(.*)\n\nTo unroll", message, re.DOTALL)
    return textwrap.dedent(code)


@pytest.mark.parametrize("loops", [PLAIN, pb], ids=["in Python", "pullback"])
@pytest.mark.parametrize("f", CARRIED, ids=lambda f: f.__name__)
def test_the_rewritten_loop_does_the_same(f, loops):
    def traced(x):
        return {k: v for k, v in f(x).items() if isinstance(v, pb.core.tracing.Tracer)}

    x = np.array([0.5, -0.25])
    (warning,) = warnings_of(traced, x)
    code = rewritten_code(str(warning.message))
    source, first = _source(f)
    loop = warning.lineno - first
    assert warning.filename == __file__
    assert f"line {warning.lineno}: `{source[loop].strip()}`" in str(warning.message)
    for remark in re.findall(r"# with (.*), the items", code):
        code = f"{remark}\n{code}"
    before = textwrap.dedent("".join(source[1:loop]))
    names = {**globals(), "x": x, "pb": loops}
    exec(f"{before}\n{code}", names)
    wanted = f(x)
    last = ast.parse(code).body[-1]
    assigned = {name.id for name in ast.walk(last.targets[0]) if isinstance(name, ast.Name)} - {"_"}
    assert assigned == set(CARRIED[f].split())
    for name in assigned:
        np.testing.assert_allclose(names[name], wanted[name], rtol=1e-12, err_msg=name)


def _source(f):
    return inspect.getsourcelines(f)


# -- the words -----------------------------------------------------------------------------------


def test_the_whole_message():
    step = 0.1

    def f(x):
        for _ in range(N):
            x = x + step * np.tanh(x)
        return x

    (warning,) = warnings_of(f, np.ones(2))
    assert str(warning.message) == (
        f"trace of f: the loop at {__file__}, line {warning.lineno}: `for _ in range(N):` is "
        "unrolled: each of its iterations is recorded anew, more than 300 by now. With pb.scan or "
        """pb.fori_loop it stays a loop, whose body is recorded once:

    def body(_, x):
        x = x + step * np.tanh(x)
        return x

    x = pb.fori_loop(0, N, body, x)

To unroll it all the same and hear no more of it: """
        'warnings.filterwarnings("ignore", category=pb.UnrolledLoopWarning)'
    )


def test_lists_are_to_be_stacked():
    text = str(warnings_of(scanned_list_of(ROWS), np.ones(2))[0].message)
    assert "# with rows = np.stack(rows), the items" in text
    text = str(warnings_of(scanned_list_of(PAIRS), np.ones(2))[0].message)
    assert "# with rows = tuple(map(np.stack, zip(*rows))), the items" in text


def scanned_list_of(rows):
    def f(x):
        for row in rows:
            x = 0.5 * x + row[0]
        return x

    return f


def _stopped(x):
    for i in range(N):
        x = 0.5 * x
        if i == N - 1:
            break
    return x


def _returned(x):
    for i in range(N):
        x = 0.5 * x
        if i == N - 2:
            return x
    return -x


def _with_else(x):
    for _ in range(N):
        x = 0.5 * x
    else:
        x = x + 1
    return x


@pytest.mark.parametrize("f", [_stopped, _returned, _with_else])
def test_loops_that_are_left_get_a_pattern(f):
    (warning,) = warnings_of(f, 1.0)
    assert "carry, ys = pb.scan(body, carry, xs)" in rewritten_code(str(warning.message))


def test_comprehensions_get_a_pattern():
    def f(x):
        return sum([np.sin(x[i]) for i in range(N)])

    (warning,) = warnings_of(f, SERIES)
    assert "return sum([np.sin(x[i]) for i in range(N)])" in str(warning.message)
    assert "pb.vmap(lambda x: ...)(xs)" in str(warning.message)


def test_without_source_there_is_a_pattern():
    names = {"np": np, "n": N}
    exec("def f(x):\n    for _ in range(n):\n        x = np.sin(x)\n    return x", names)
    (warning,) = warnings_of(names["f"], 1.0)
    assert "the loop at <string>, line 3 is unrolled" in str(warning.message)
    assert "carry = pb.fori_loop(0, n, body, carry)" in str(warning.message)


# -- which loop ------------------------------------------------------------------------------------


def _line(text):
    lines = [line.strip() for line in inspect.getsource(inspect.getmodule(_line)).splitlines()]
    (line,) = [n for n, each in enumerate(lines, 1) if each == text]
    return line


def _layer(x):
    y = np.tanh(x)
    return 0.5 * y + x


def test_the_loop_may_be_in_a_calling_function():
    def f(x):
        for _each in range(N):
            x = _layer(x)
        return x

    (warning,) = warnings_of(f, 1.0)
    assert warning.lineno == _line("for _each in range(N):")


def test_of_nested_loops_the_longer_one_is_shown():
    def inner(x):
        for _step in range(N):
            for _few in range(3):
                x = _layer(x)
        return x

    def outer(x):
        for _few in range(3):
            for _node in range(x.shape[0]):
                x = _layer(x)
        return x

    (warning,) = warnings_of(inner, 1.0)
    assert warning.lineno == _line("for _step in range(N):")
    (warning,) = warnings_of(outer, SERIES)
    assert warning.lineno == _line("for _node in range(x.shape[0]):")


def test_loops_around_the_recording_do_not_count():
    def f(x):
        for _ in range(MOST // 3):
            x = _layer(x)
        return x

    for _ in range(10):
        assert warnings_of(f, 1.0) == []


# -- once, and only where a loop is unrolled -----------------------------------------------------


def chain(n):
    def f(x):
        for _ in range(n):
            x = np.sin(x) * 0.5
        return np.sum(x)

    return f


@pytest.mark.parametrize("transform", [pb.grad, pb.hessian, pb.jacobian, pb.value_and_grad])
def test_transforms_are_warned_of_once(transform):
    assert len(warnings_of(transform(chain(N)), np.ones(2))) == 1
    assert warnings_of(transform(chain(MOST - 1)), np.ones(2)) == []


def test_two_loops_are_warned_of_once():
    def f(x):
        return chain(N)(x) + chain(2 * N)(x)

    assert len(warnings_of(f, np.ones(2))) == 1


def test_shorter_loops_are_unrolled_in_silence():
    def often(x):
        return sum(chain(MOST // 4)(k * x) for k in range(3))

    for f in (chain(MOST - 1), often):
        assert warnings_of(f, np.ones(2)) == []


def test_long_expressions_are_no_loops():
    names = {"np": np}
    terms = " + ".join(f"np.sin({k} * x)" for k in range(2 * N))
    exec(compile(f"f = lambda x: {terms}", "<one line>", "exec"), names)
    assert warnings_of(names["f"], 1.0) == []


def test_loops_of_the_library_are_unrolled_in_silence():
    layers = [pb.nn.Dense(np.eye(2) * 0.5, np.zeros(2), np.tanh) for _ in range(N)]
    net = pb.nn.Chain(layers)
    assert warnings_of(lambda net, x: net(x), net, np.ones(2)) == []
    assert warnings_of(pb.grad(lambda net, x: np.sum(net(x))), net, np.ones(2)) == []
    assert warnings_of(net, np.ones(2)) == []
    coefficients = np.linspace(0, 1, N)
    assert warnings_of(lambda x: np.polyval(coefficients, x), 0.5) == []


def test_eager_derivatives_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pb.grad(chain(N))(np.ones(2))


def test_where_warnings_are_shown_once_for_each_place_this_one_is_too():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            pb.trace(chain(N), np.ones(2))
    assert len(caught) == 1


def test_the_warning_can_be_silenced():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=pb.UnrolledLoopWarning)
        assert len(pb.trace(chain(N), np.ones(2)).equations) == 2 * N + 1
