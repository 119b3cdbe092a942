"""From entries back to matrix notation, by grouping factors by their sets of indices."""

from __future__ import annotations

from collections.abc import Mapping

from pullback.explain import matrices as mx
from pullback.explain.arithmetic import fresh
from pullback.explain.expression import (
    Delta,
    Expr,
    Fn,
    Index,
    Num,
    Partial,
    Plus,
    Power,
    Sigma,
    Sym,
    Times,
    free,
    walk,
)
from pullback.explain.laws import Abbreviation
from pullback.explain.matrices import Matrix
from pullback.explain.names import Name

__all__ = ["NoFormError", "in_matrices"]

Order = tuple[Index, ...]


class NoFormError(Exception):
    """There is no matrix notation for the expression; it stays in indices."""


class Reader:
    """Finds matrix notation.

    Parameters
    ----------
    shapes : mapping of Name to tuple of int
    abbreviations : mapping of Name to Abbreviation
        They are written out.
    """

    def __init__(
        self,
        shapes: Mapping[Name, tuple[int, ...]],
        abbreviations: Mapping[Name, Abbreviation] | None = None,
    ) -> None:
        self.shapes = shapes
        self.abbreviations = abbreviations or {}

    # -- one expression -----------------------------------------------------------------------

    def read(self, e: Expr, order: Order) -> Matrix:
        """The expression as a value with an axis for each index of `order`.

        An axis on whose index nothing depends is filled.
        """
        found, own = self.natural(e, order)
        return self.spread(found, own, order)

    def spread(self, m: Matrix, own: Order, order: Order) -> Matrix:
        """The value with the axes `own`, repeated along the others of `order`."""
        if own == order:
            return m
        shape = extents(order)
        if len(order) == 2 and own == order[::-1]:
            return transposed(m)
        if not own:
            return scaled((m,), mx.Ones(shape))
        if len(order) == 2 and own == order[1:]:
            return mx.Outer(shape, mx.Ones(shape[:1]), m)
        if len(order) == 2 and own == order[:1]:
            return mx.Outer(shape, m, mx.Ones(shape[1:]))
        raise NoFormError

    def natural(self, e: Expr, order: Order) -> tuple[Matrix, Order]:
        """The expression with the axes that it has, in the order of `order`."""
        own = tuple(i for i in order if i in free(e))
        if isinstance(e, Num):
            return mx.Number((), e.value), ()
        if isinstance(e, Sym):
            return self.letter(e, order)
        if isinstance(e, Delta):
            return self.delta(e, own)
        if isinstance(e, Plus):
            return self.added([self.natural(x, order) for x in e.terms], own)
        if isinstance(e, Fn):
            args = [self.read_whole(x, own) for x in e.args]
            return mx.Applied(extents(own), e.name, tuple(args), e.primes), own
        if isinstance(e, Power):
            base, exponent = self.read_whole(e.base, own), self.read_whole(e.exponent, own)
            return mx.Raised(extents(own), base, exponent), own
        if isinstance(e, Times | Sigma):
            return self.product(e, own), own
        assert isinstance(e, Partial)
        raise NoFormError

    def read_whole(self, e: Expr, own: Order) -> Matrix:
        """An argument of a function: a scalar beside arrays stays one."""
        m, has = self.natural(e, own)
        return m if not has else self.spread(m, has, own)

    def letter(self, e: Sym, order: Order) -> tuple[Matrix, Order]:
        if e.name in self.abbreviations:
            return self.natural(self.abbreviations[e.name].entry(e.at), order)
        shape = self.shapes[e.name]
        indices = tuple(i for i in e.at if isinstance(i, Index))
        if len(set(indices)) != len(indices):
            raise NoFormError
        fixed = tuple(None if isinstance(i, Index) else i for i in e.at)
        if len(indices) > 2 and len(indices) != len(order):
            raise NoFormError
        own = tuple(i for i in order if i in indices)
        kept = tuple(n for n, i in zip(shape, fixed, strict=True) if i is None)
        m: Matrix = mx.Letter(kept, e.name, fixed if len(kept) != len(shape) else ())
        if own == indices:
            return m, own
        if len(own) == 2:
            return transposed(m), own
        raise NoFormError

    def delta(self, e: Delta, own: Order) -> tuple[Matrix, Order]:
        if len(own) == 2:
            return mx.Eye(extents(own)), own
        if len(own) == 1:
            row = e.left if type(e.left) is int else e.right
            assert isinstance(row, int)
            return mx.Eye(extents(own), row), own
        raise NoFormError

    def added(self, terms: list[tuple[Matrix, Order]], own: Order) -> tuple[Matrix, Order]:
        done = [m if not has and own else self.spread(m, has, own) for m, has in terms]
        shape = extents(own)
        if own and not any(has for _, has in terms):
            raise NoFormError
        # A matrix times the same vector twice is the sum of the matrices times it.
        for a, first in enumerate(done):
            for b, second in enumerate(done[a + 1 :], a + 1):
                if (
                    isinstance(first, mx.Product)
                    and isinstance(second, mx.Product)
                    and first.right == second.right
                    and len(first.right.shape) == 1
                ):
                    both = mx.Added(first.left.shape, (first.left, second.left))
                    joined = mx.Product(shape, both, first.right)
                    rest = [*done[:a], joined, *done[a + 1 : b], *done[b + 1 :]]
                    return (rest[0] if len(rest) == 1 else mx.Added(shape, tuple(rest))), own
        return mx.Added(shape, tuple(done)), own

    # -- products ------------------------------------------------------------------------------

    def product(self, e: Expr, own: Order) -> Matrix:
        """Σ over indices of a product."""
        bound, factors = self.flat(e)
        everything = (*own, *bound)
        scalars: list[Matrix] = []
        groups: dict[frozenset[Index], list[Matrix]] = {}
        orders: dict[frozenset[Index], Order] = {}
        for factor in factors:
            m, has = self.natural(factor, as_written(factor, everything))
            if not has:
                scalars.append(m)
                continue
            group = frozenset(has)
            order = orders.setdefault(group, has)
            groups.setdefault(group, []).append(m if has == order else transposed(m))
        network = Network(groups, orders, bound)
        network.contract()
        return scaled((*scalars, *network.scalars), network.result(own, self))

    def flat(self, e: Expr) -> tuple[list[Index], list[Expr]]:
        """The indices that are summed over, and the factors, of Σs and products in each other."""
        if isinstance(e, Sigma):
            bound, factors = self.flat(e.body)
            return [e.index, *bound], factors
        if isinstance(e, Times):
            bound, factors = [], []
            for x in e.factors:
                inner = self.flat(fresh(x)) if isinstance(x, Sigma) else ([], [x])
                bound += inner[0]
                factors += inner[1]
            return bound, factors
        return [], [e]


class Network:
    """Factors with index sets, to be contracted over the bound indices one by one."""

    def __init__(
        self,
        groups: Mapping[frozenset[Index], list[Matrix]],
        orders: Mapping[frozenset[Index], Order],
        bound: list[Index],
    ) -> None:
        self.nodes: list[tuple[Order, list[Matrix]]] = [
            (orders[group], list(each)) for group, each in groups.items()
        ]
        self.bound = list(bound)
        self.scalars: list[Matrix] = []

    def contract(self) -> None:
        """Sum over all bound indices, or raise where there is no matrix notation for it."""
        if any(len(order) > 2 for order, _ in self.nodes):
            raise NoFormError
        while self.bound:
            if not any(self.one(index) for index in self.bound):
                raise NoFormError

    def one(self, k: Index) -> bool:
        touching = [node for node in self.nodes if k in node[0]]
        vectors = [node for node in touching if len(node[0]) == 1]
        squares = [node for node in touching if len(node[0]) == 2]
        others = [i for node in squares for i in node[0] if i is not k]
        if not squares:
            if not vectors:
                self.scalars.append(mx.Number((), k.extent))
            else:
                self.scalars.append(summed(vectors[0][1]))
        elif len(squares) == 1 and not (others[0] in self.bound and self.is_total(others[0])):
            (order, factors), vector = squares[0], joined([m for v in vectors for m in v[1]])
            matrix = joined(factors)
            assert matrix is not None
            if order[0] is k:
                matrix = transposed(matrix)
            if vector is None:
                vector = mx.Ones((k.extent,))
            self.add((others[0],), mx.Product((others[0].extent,), matrix, vector))
        elif len(squares) == 1 and not vectors:
            # Both indices are summed over, and nothing else has them.
            order, factors = squares[0]
            if not self.alone(others[0], squares[0]):
                return False
            self.scalars.append(summed(factors))
            self.bound.remove(others[0])
        elif len(squares) == 1:
            return False
        elif len(squares) == 2 and others[0] is not others[1]:
            left, right = (joined(node[1]) for node in squares)
            assert left is not None and right is not None
            left = transposed(left) if squares[0][0][0] is k else left
            right = right if squares[1][0][0] is k else transposed(right)
            vector = joined([m for v in vectors for m in v[1]])
            if vector is not None:
                left = mx.Product(left.shape, left, mx.Diag((k.extent, k.extent), vector))
            shape = (others[0].extent, others[1].extent)
            self.add((others[0], others[1]), mx.Product(shape, left, right))
        else:
            return False
        self.bound.remove(k)
        self.nodes = [node for node in self.nodes if not any(node is t for t in touching)]
        return True

    def alone(self, k: Index, node: tuple[Order, list[Matrix]]) -> bool:
        return not any(k in other[0] for other in self.nodes if other is not node)

    def is_total(self, k: Index) -> bool:
        return sum(k in order for order, _ in self.nodes) == 1

    def add(self, order: Order, m: Matrix) -> None:
        for has, factors in self.nodes:
            if has == order:
                factors.append(m)
                return
            if has == order[::-1]:
                factors.append(transposed(m))
                return
        self.nodes.append((order, [m]))

    def result(self, own: Order, reader: Reader) -> Matrix:
        """What is left, as a value with these axes."""
        nodes = {order: joined(factors) for order, factors in self.nodes}
        if not own:
            if nodes:
                raise NoFormError
            return mx.Number((), 1)
        shape = extents(own)
        if len(own) == 1:
            m = nodes.pop(own, None)
        elif len(own) == 2:
            m = nodes.pop(own, None)
            back = nodes.pop(own[::-1], None)
            if back is not None:
                m = transposed(back) if m is None else mx.Hadamard(shape, (m, transposed(back)))
            row, column = nodes.pop(own[:1], None), nodes.pop(own[1:], None)
            if m is None and row is not None and column is not None:
                m = mx.Outer(shape, row, column)
            elif m is not None:
                if row is not None:
                    m = mx.Product(shape, mx.Diag((shape[0],) * 2, row), m)
                if column is not None:
                    m = mx.Product(shape, m, mx.Diag((shape[1],) * 2, column))
        else:
            m = nodes.pop(own, None)
        if m is None or nodes:
            raise NoFormError
        return m


def as_written(e: Expr, order: Order) -> Order:
    """The indices, those of a matrix that is read in the order in which it has them."""
    for x in walk(e):
        if isinstance(x, Sym):
            own = tuple(i for i in x.at if isinstance(i, Index) and i in order)
            if len(own) == 2 and own[0] is not own[1]:
                return (*own, *(i for i in order if i not in own))
    return order


def extents(order: Order) -> tuple[int, ...]:
    return tuple(i.extent for i in order)


def joined(factors: list[Matrix]) -> Matrix | None:
    """The product element by element."""
    if not factors:
        return None
    return factors[0] if len(factors) == 1 else mx.Hadamard(factors[0].shape, tuple(factors))


def summed(factors: list[Matrix]) -> Matrix:
    """The sum of the entries of a product element by element."""
    first = factors[0]
    if len(factors) == 1:
        if isinstance(first, mx.Raised) and first.exponent == mx.Number((), 2):
            return mx.Norm((), first.base)
        return mx.Dot((), mx.Ones(first.shape), first)
    rest = joined(factors[1:])
    assert rest is not None
    return mx.Norm((), first) if first == rest else mx.Dot((), first, rest)


def scaled(scalars: tuple[Matrix, ...], m: Matrix) -> Matrix:
    """Scalars times a value."""
    flat: list[Matrix] = []
    for x in scalars:
        if isinstance(x, mx.Scaled):
            flat += [*x.scalars, x.value]
        else:
            flat.append(x)
    numbers = [x for x in flat if isinstance(x, mx.Number)]
    rest = [x for x in flat if not isinstance(x, mx.Number)]
    value = 1
    for x in numbers:
        value = value * x.value
    front = (*([mx.Number((), value)] if value != 1 else []), *rest)
    if m == mx.Number((), 1) and front:
        return front[0] if len(front) == 1 else mx.Scaled((), front[:-1], front[-1])
    return mx.Scaled(m.shape, front, m) if front else m


def transposed(m: Matrix) -> Matrix:
    """Mᵀ, where that of a product is the product of the transposes."""
    if len(m.shape) != 2:
        return m
    shape = m.shape[::-1]
    if isinstance(m, mx.Transposed):
        return m.value
    if isinstance(m, mx.Eye | mx.Diag):
        return m
    if isinstance(m, mx.Product):
        return mx.Product(shape, transposed(m.right), transposed(m.left))
    if isinstance(m, mx.Outer):
        return mx.Outer(shape, m.right, m.left)
    if isinstance(m, mx.Ones):
        return mx.Ones(shape)
    return mx.Transposed(shape, m)


def in_matrices(
    e: Expr,
    order: Order,
    shapes: Mapping[Name, tuple[int, ...]],
    abbreviations: Mapping[Name, Abbreviation] | None = None,
) -> Matrix | None:
    """The expression in matrix notation, or `None` where it has to stay in indices.

    Parameters
    ----------
    e : Expr
    order : tuple of Index
        One for each axis of the value.
    shapes : mapping of Name to tuple of int
    abbreviations : mapping of Name to Abbreviation
        Names that are written out.
    """
    try:
        return Reader(shapes, abbreviations).read(e, order)
    except NoFormError:
        return None
