"""A training run by a method of SciPy's: all samples at once, an iteration for an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core.validation import require_mapping
from pullback.errors import ArgumentValueError
from pullback.optim.course import Course
from pullback.optim.data import Batch
from pullback.optim.failures import reason
from pullback.optim.minimization import Derivatives, searched

__all__ = ["search"]


class _Over(Exception):  # noqa: N818
    """The search is over, for a reason of ours."""


def search(
    course: Course,
    objective: Callable[..., Any],
    batch: Batch,
    method: str,
    epochs: int,
    compile: bool,
    shared: dict[Any, Any] | None,
    options: dict[str, Any],
) -> tuple[str, str]:
    """Minimise, closing an epoch after each iteration; why it ended, and what SciPy says of it."""
    shared = {} if shared is None else shared
    derivatives = shared.get("derivatives")
    if derivatives is None:
        derivatives = shared["derivatives"] = Derivatives(objective, compile)
    own = options["options"]
    given = {} if own is None else require_mapping(own, "train", "options")
    options["options"] = {"maxiter": epochs - course.epoch, **given}
    over: list[str] = []

    def require_finite(value: float, params: Any) -> None:
        if value - value != 0:
            why = reason(objective, params, batch) or "bring the samples to a common scale"
            raise ArgumentValueError(
                f"train: the objective is {value} in iteration {course.epoch + 1}; wanted a finite "
                f"value: {why}"
            )

    def iterated(params: Any, value: float) -> None:
        require_finite(value, params)
        stopped = course.close(params, None, value)
        if stopped:
            over.append(stopped)
            raise _Over

    try:
        result = searched(derivatives, course.params, batch.parts, method, iterated, **options)
    except _Over:
        return over[0], ""
    require_finite(float(result.fun), result.x)
    course.params = result.x
    if result.success:
        return "converged", str(result.message)
    is_limit = result.get("nit", 0) >= options["options"]["maxiter"]
    return ("epochs" if is_limit else "failed"), str(result.message)
