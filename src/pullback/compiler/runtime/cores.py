"""How many threads may work: what the user says, or what this process may use of the machine."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from pullback.errors import ArgumentValueError

__all__ = ["MOST", "VARIABLE", "available", "quota", "threads_allowed"]

VARIABLE = "PULLBACK_NUM_THREADS"

MOST = 1024
"""How many threads there may be."""


def threads_allowed() -> int:
    """The number in ``PULLBACK_NUM_THREADS``, or else of the cores that are available.

    Raises
    ------
    ArgumentValueError
        If the variable is set to something else than a whole number from 1 to 1024.
    """
    asked = os.environ.get(VARIABLE, "").strip()
    if not asked:
        return min(available(), MOST)
    if asked.isdecimal() and 1 <= int(asked) <= MOST:
        return int(asked)
    raise ArgumentValueError(
        f"{VARIABLE} is {asked!r}; wanted is a whole number from 1 to {MOST}, or nothing, for as "
        f"many threads as this process may use cores. Write, for example, {VARIABLE}=4"
    )


def available() -> int:
    """Of how many cores this process may use the time: by its affinity, and by its quotas."""
    limit = quota()
    return _cores() if limit is None else max(1, min(_cores(), math.ceil(limit)))


def _cores() -> int:
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quota(root: Path = Path("/")) -> float | None:
    """How many cores' time the control groups of this process allow, where they limit it.

    Containers have such limits, and jobs of batch systems. There are two versions of the files,
    and both may be mounted; the limit of every group around the process's own holds too.

    Parameters
    ----------
    root : Path
        Where the file system begins.
    """
    limits = []
    for mount, within, version in _mounts(root):
        path = _path(root, version)
        if path is None:
            continue
        # In a container the path may be one of the machine outside, of which it sees the end.
        own = path.relative_to(within) if path.is_relative_to(within) else Path()
        group = mount / own if ".." not in own.parts else mount
        read = _new_limit if version == 2 else _old_limit
        groups = [group, *(each for each in group.parents if each.is_relative_to(mount))]
        limits += [limit for each in groups if (limit := read(each)) is not None]
    return min(limits, default=None)


def _mounts(root: Path) -> Iterator[tuple[Path, Path, int]]:
    """Where groups that limit processors are mounted, what of them, and which version it is.

    A line is ``31 23 0:28 /of/them /where options - cgroup2 name options``, with more or fewer
    fields before the dash.
    """
    for line in _read(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        place, kind = before.split(), after.split()
        if len(place) < 5 or len(kind) < 3:
            continue
        old = kind[0] == "cgroup" and "cpu" in kind[2].split(",")
        if old or kind[0] == "cgroup2":
            where = place[4].replace(r"\040", " ")
            yield root / where.lstrip("/"), Path(place[3]), 1 if old else 2


def _path(root: Path, version: int) -> Path | None:
    """The group of this process: of the lines ``2:cpu,cpuacct:/path`` and ``0::/path`` the one."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        fits = number == "0" if version == 2 else "cpu" in controllers.split(",")
        if fits and path:
            return Path(path)
    return None


def _new_limit(group: Path) -> float | None:
    return _ratio(_read(group / "cpu.max").split())


def _old_limit(group: Path) -> float | None:
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    return _ratio([_read(group / name).strip() for name in names])


def _ratio(numbers: list[str]) -> float | None:
    """Microseconds of work per period of so many; ``max`` and -1 are no limit."""
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        return None
    work, period = map(int, numbers)
    return work / period if work and period else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
