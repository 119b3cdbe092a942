"""The pool of threads where a process begins, is forked, and ends."""

from __future__ import annotations

import os

import pytest

from tests.compiler.runtime.pool import outcome
from tests.grouping import together

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

BEGIN = """
import ctypes, os, sys, threading, time
import numpy as np
from pullback.compiler.runtime import compile_text, load, threads
from tests.compiler.runtime.pool import Task, call, marks, meets, native

def forked(work):
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, status
            return
        time.sleep(1e-3)
    os.kill(child, 9)
    raise AssertionError("the child hangs")

def check(holds):
    assert holds
"""


def run(program: str, threads: str = "3", status: int = 0) -> None:
    """Run a program; it must end by itself, with this status, and say nothing."""
    done = outcome(BEGIN + program, PULLBACK_NUM_THREADS=threads)
    assert (done.returncode, done.stderr, done.stdout) == (status, "", "")


def test_without_being_asked_for_there_are_no_threads():
    run("""
check(set(marks(100, 4)[:, 1]) == {0} and threading.active_count() == 1)
threads.ready()
check(threading.active_count() == threads.workers() == 3)
check(meets(3))
""")


def test_one_thread_is_the_caller_s():
    run("threads.ready()\ncheck(threading.active_count() == 1 and meets(1))", "1")


@needs_fork
def test_after_a_fork_both_processes_start_threads_when_they_call():
    """With Python's lock held by the call and without, and children of children do so too."""
    run("""
threads.ready()
check(meets(3))

def inner():
    check(threading.active_count() == 1)
    check(meets(3, locked=True))

def outer():
    check(threading.active_count() == 1)
    callers = [threading.Thread(target=marks, args=(50, 3)) for _ in range(4)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    check(threading.active_count() == 3)
    check(meets(3))
    forked(inner)
    check(meets(3))

for _ in range(5):
    forked(outer)
    check(threading.active_count() == 1)
    check(meets(3))
    check(threading.active_count() == 3)
for _ in range(2):  # without a call in between, in either process
    forked(lambda: forked(outer))
threads.ready()
check(threading.active_count() == 3 and meets(3))
""")


@needs_fork
def test_a_process_that_is_forked_before_there_are_threads_has_none():
    run("""
forked(lambda: check(set(marks(100, 4)[:, 1]) == {0} and threading.active_count() == 1))
threads.parallel_address()
forked(lambda: check(set(marks(100, 4)[:, 1]) == {0} and threading.active_count() == 1))
forked(lambda: check(threads.ready() is None and meets(3)))
""")


@needs_fork
def test_a_fork_while_the_threads_work():
    """For another thread of Python, in short calls, and in one that is longer than a fork waits."""
    run("""
threads.set_workers(4)
threads.ready()
stop, calls = threading.Event(), []

def work():
    while not stop.is_set():
        check((marks(500, 4)[:, 0] == 1).all())
        calls.append(1)

caller = threading.Thread(target=work, daemon=True)
caller.start()
for _ in range(20):
    forked(lambda: check(meets(4) and (marks(500, 4)[:, 0] == 1).all()))
stop.set()
caller.join()
check(calls)

@Task
def rest(frame, span, worker):
    time.sleep(0.5)
    return 0

caller = threading.Thread(target=call, args=(rest, None, 4, 4))
caller.start()
time.sleep(0.1)
forked(lambda: check(meets(4)))
caller.join()
check(meets(4))
""")


@needs_fork
def test_a_fork_while_another_thread_compiles():
    run("""
from tests.compiler.runtime.pool import TEXT

def compiles():
    return load(compile_text(TEXT, level=0)).address("mark")

def work():
    while not stop.is_set():
        check(compiles())

threads.ready()
stop = threading.Event()
caller = threading.Thread(target=work, daemon=True)
caller.start()
for _ in range(20):
    forked(lambda: check(compiles() and meets(3)))
stop.set()
caller.join()
""")


@needs_fork
def test_the_environment_is_read_again_after_a_fork():
    run("""
from pullback.errors import ArgumentValueError

def other():
    os.environ["PULLBACK_NUM_THREADS"] = "2"
    check(threads.workers() == 2)
    check(meets(2) and threading.active_count() == 2)

def wrong():
    os.environ["PULLBACK_NUM_THREADS"] = "many"
    check(set(marks(100, 4)[:, 1]) == {0})
    try:
        threads.ready()
    except ArgumentValueError as error:
        check("PULLBACK_NUM_THREADS is 'many'" in str(error))
    else:
        check(False)

def said():
    check(threads.workers() == 2)

threads.ready()
os.environ["PULLBACK_NUM_THREADS"] = "4"
check(threads.workers() == 3)
forked(other)
forked(wrong)
threads.set_workers(2)
forked(said)
threads.set_workers(None)
check(threads.workers() == 3)
""")


BUSY = """
def work():
    while True:
        marks(5, 3)

threading.Thread(target=work, daemon=True).start()
time.sleep(0.1)
"""

ENDLESS = """
TEXT = '''
define i32 @endless(ptr %frame, i64 %span, i64 %worker) {
entry:
  br label %head
head:
  %never = load atomic i64, ptr %frame seq_cst, align 8
  %goes = icmp eq i64 %never, 0
  br i1 %goes, label %head, label %done
done:
  ret i32 0
}
'''
library = load(compile_text(TEXT))
frame = np.zeros(1, np.int64)
arguments = (library.address("endless"), frame, 3, 3)
threading.Thread(target=call, args=arguments, daemon=True).start()
time.sleep(0.1)
"""

LAST = """
import atexit

atexit.register(lambda: check(meets(3)))
threading.Thread(target=lambda: check(time.sleep(0.1) or meets(3))).start()
"""


@together()
@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("check(meets(3))", 0),
        ("check(meets(3))\ntime.sleep(0.05)\nsys.exit(7)", 7),
        (BUSY, 0),
        (ENDLESS, 0),
        (LAST, 0),
        ("call(Task(lambda *_: time.sleep(1e-3) or 0), None, 9, 3)", 0),
    ],
    ids=["awake", "asleep", "busy", "endless", "last", "python"],
)
def test_a_process_ends(program, status):
    """Its threads rest, work for a daemon thread that goes on, or are called by what comes last."""
    run("threads.ready()\n" + program, status=status)


def test_daemon_threads_have_the_pool_as_well():
    run("""
threads.ready()
met = []
caller = threading.Thread(target=lambda: met.append(meets(3)), daemon=True)
caller.start()
caller.join(60)
check(met == [True])
""")
