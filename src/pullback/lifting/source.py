"""The definition of a function in its file: the part of the syntax tree that it was made of."""

from __future__ import annotations
import __future__

import ast
import functools
import linecache
from types import CodeType

__all__ = ["Definition", "definition_of", "is_current"]

Definition = ast.FunctionDef | ast.Lambda


@functools.lru_cache(maxsize=256)
def _definitions(path: str, text: str) -> dict[int, list[Definition]]:
    """The functions and lambdas of a file, by the line at which their code begins."""
    found: dict[int, list[Definition]] = {}
    for node in ast.walk(ast.parse(text, path)):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            decorators = getattr(node, "decorator_list", ())
            line = min([node.lineno, *(each.lineno for each in decorators)])
            found.setdefault(line, []).append(node)
    return found


@functools.lru_cache(maxsize=256)
def _compiled(path: str, text: str, flags: int) -> dict[int, list[CodeType]]:
    """The code of a file, by the line at which it begins."""
    found: dict[int, list[CodeType]] = {}
    pending = [compile(text, path, "exec", flags=flags, dont_inherit=True)]
    while pending:
        code = pending.pop()
        found.setdefault(code.co_firstlineno, []).append(code)
        pending += [each for each in code.co_consts if type(each) is CodeType]
    return found


def is_current(code: CodeType) -> bool:
    """Whether the file still says what runs: it may have changed, or been rewritten."""
    text = "".join(linecache.getlines(code.co_filename))
    return code in _compiled(code.co_filename, text, code.co_flags & FUTURES).get(
        code.co_firstlineno, []
    )


FUTURES = __future__.annotations.compiler_flag | __future__.generator_stop.compiler_flag
"""What a file may import from the future that decides on how it is compiled."""


def definition_of(code: CodeType) -> Definition | None:
    """The definition that a code object was made of; `None` if its source is not to be found."""
    text = "".join(linecache.getlines(code.co_filename))
    try:
        candidates = _definitions(code.co_filename, text).get(code.co_firstlineno, [])
    except (SyntaxError, ValueError):
        return None
    named = [each for each in candidates if getattr(each, "name", "<lambda>") == code.co_name]
    found = [each for each in named if _argument_names(each) == _names(code)]
    if len(found) > 1:  # lambdas of one line
        found = [each for each in found if _covers(each, code)]
    return found[0] if len(found) == 1 else None


def _argument_names(node: Definition) -> list[str]:
    given = node.args
    stars = [each for each in (given.vararg, given.kwarg) if each is not None]
    return [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, *stars)]


def _names(code: CodeType) -> list[str]:
    stars = bool(code.co_flags & 4) + bool(code.co_flags & 8)
    return list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + stars])


def _covers(node: Definition, code: CodeType) -> bool:
    """Whether the instructions of the code lie within a lambda's body."""
    body: ast.expr = node.body  # type: ignore[assignment]
    places = [each for each in code.co_positions() if None not in each and each[2] != each[3]]
    last: tuple[int, int] = (body.end_lineno or 0, body.end_col_offset or 0)
    return bool(places) and all(
        (body.lineno, body.col_offset) <= (line, start) and (end_line, end) <= last
        for line, end_line, start, end in places
    )
