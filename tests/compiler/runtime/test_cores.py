"""How many threads may work: the variable, affinity, and the quotas of control groups."""

from __future__ import annotations

import os

import pytest

from pullback.compiler.runtime import cores
from pullback.errors import ArgumentValueError
from tests.grouping import together

NEW = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
OLD = (
    "22 20 0:19 / / rw - ext4 /dev/vda rw\n"
    "32 31 0:29 {within} /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:30 {within} /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
)


def machine(root, mounts: str, groups: str, files: dict[str, str]):
    """A root directory with these files in it."""
    all_files = {"proc/self/mountinfo": mounts, "proc/self/cgroup": groups, **files}
    for name, content in all_files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


@together()
@pytest.mark.parametrize(("asked", "threads"), [("1", 1), (" 7 ", 7), ("1024", 1024)])
def test_the_variable_says_how_many(monkeypatch, asked, threads):
    monkeypatch.setenv("PULLBACK_NUM_THREADS", asked)
    assert cores.threads_allowed() == threads


@together()
@pytest.mark.parametrize("asked", ["0", "-1", "1025", "2.5", "two", "1e3", "²"])
def test_a_variable_that_is_no_number_of_threads(monkeypatch, asked):
    monkeypatch.setenv("PULLBACK_NUM_THREADS", asked)
    with pytest.raises(ArgumentValueError) as caught:
        cores.threads_allowed()
    assert str(caught.value) == (
        f"PULLBACK_NUM_THREADS is {asked!r}; wanted is a whole number from 1 to 1024, or nothing, "
        "for as many threads as this process may use cores. Write, for example, "
        "PULLBACK_NUM_THREADS=4"
    )


@together()
@pytest.mark.parametrize("asked", [None, "", "  "])
def test_without_the_variable_it_is_the_cores_that_are_available(monkeypatch, asked):
    monkeypatch.delenv("PULLBACK_NUM_THREADS", raising=False)
    if asked is not None:
        monkeypatch.setenv("PULLBACK_NUM_THREADS", asked)
    assert cores.threads_allowed() == cores.available() >= 1


@together()
@pytest.mark.parametrize(
    ("quota", "threads"), [(None, 8), (0.2, 1), (1.0, 1), (2.5, 3), (8.0, 8), (100.0, 8)]
)
def test_a_quota_is_rounded_up(monkeypatch, quota, threads):
    monkeypatch.setattr(cores, "quota", lambda: quota)
    monkeypatch.setattr(cores, "_cores", lambda: 8)
    assert cores.available() == threads


def test_affinity_counts_where_there_is_one(monkeypatch):
    monkeypatch.setattr(os, "process_cpu_count", lambda: 5, raising=False)
    assert cores._cores() == 5
    monkeypatch.setattr(os, "process_cpu_count", lambda: None)
    assert cores._cores() == 1
    monkeypatch.delattr(os, "process_cpu_count")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert cores._cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert cores._cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores._cores() == 1


@together()
@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("150000 100000\n", 1.5),
        ("max 100000\n", None),
        ("max\n", None),
        ("", None),
        ("0 0", None),
        ("-1 100000", None),
        ("some words", None),
    ],
)
def test_a_group_of_the_new_kind(tmp_path, text, quota):
    root = machine(tmp_path, NEW, "0::/job\n", {"sys/fs/cgroup/job/cpu.max": text})
    assert cores.quota(root) == quota


def test_the_narrowest_group_of_the_new_kind_counts(tmp_path):
    files = {
        "sys/fs/cgroup/a/cpu.max": "200000 100000",
        "sys/fs/cgroup/a/b/cpu.max": "max 100000",
        "sys/fs/cgroup/a/b/c/cpu.max": "900000 100000",
        "sys/fs/cgroup/other/cpu.max": "100000 100000",
        "sys/fs/cpu.max": "100000 100000",
    }
    assert cores.quota(machine(tmp_path, NEW, "0::/a/b/c\n", files)) == 2.0


@together()
@pytest.mark.parametrize(
    ("work", "period", "quota"),
    [("350000\n", "100000\n", 3.5), ("-1\n", "100000\n", None), ("350000\n", "", None)],
)
def test_a_group_of_the_old_kind(tmp_path, work, period, quota):
    here = "sys/fs/cgroup/cpu,cpuacct/job/"
    files = {here + "cpu.cfs_quota_us": work, here + "cpu.cfs_period_us": period}
    groups = "5:memory:/elsewhere\n4:cpu,cpuacct:/job\n0::/\n"
    assert cores.quota(machine(tmp_path, OLD.format(within="/"), groups, files)) == quota


@together()
@pytest.mark.parametrize(
    ("within", "path"),
    [("/docker/1f", "/docker/1f"), ("/docker/1f", "/docker/1f/"), ("/", "/../.."), ("/x", "/y")],
)
def test_in_a_container_the_mount_is_the_group(tmp_path, within, path):
    here = "sys/fs/cgroup/cpu,cpuacct/"
    files = {here + "cpu.cfs_quota_us": "50000", here + "cpu.cfs_period_us": "100000"}
    groups = f"4:cpu,cpuacct:{path}\n"
    root = machine(tmp_path, OLD.format(within=within), groups, files)
    assert cores.quota(root) == 0.5


def test_of_both_kinds_the_narrower_counts(tmp_path):
    here = "sys/fs/cgroup/cpu,cpuacct/"
    files = {
        here + "cpu.cfs_quota_us": "400000",
        here + "cpu.cfs_period_us": "100000",
        "sys/fs/cgroup/cpu.max": "300000 100000",
    }
    mounts = OLD.format(within="/") + "a line of another kind - x\n" + NEW
    root = machine(tmp_path, mounts, "4:cpu,cpuacct:/\n0::/\n", files)
    assert cores.quota(root) == 3.0


def test_a_mount_with_a_space_in_its_name(tmp_path):
    mounts = "31 23 0:28 / /all\\040groups rw - cgroup2 cgroup2 rw\n"
    files = {"all groups/cpu.max": "100000 100000"}
    assert cores.quota(machine(tmp_path, mounts, "0::/\n", files)) == 1.0


def test_without_such_groups_there_is_no_limit(tmp_path):
    assert cores.quota(tmp_path) is None
    assert cores.quota(machine(tmp_path, OLD.format(within="/"), "0::/\n", {})) is None
    assert cores.quota() is None or cores.quota() > 0
