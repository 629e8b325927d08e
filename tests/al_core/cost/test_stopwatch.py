"""What is kept as a speed is this machine's, and not that of the moment's other programs."""

import itertools
import os
import time

import pytest

from al_core.cost.stopwatch import Stopwatch


@pytest.fixture
def clocks(monkeypatch):
    """Wall, thread's and process's seconds of a piece of work, as the clocks would tell them."""

    def tell(wall, thread, process):
        monkeypatch.setattr(os, "cpu_count", lambda: 2)
        for name, seconds in (("perf_counter", wall), ("thread_time", thread), ("process_time", process)):
            monkeypatch.setattr(time, name, itertools.cycle([100.0, 100.0 + seconds]).__next__)

    return tell


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ((1.05, 1.0, 1.0), 1.05),  # idle
        ((22.0, 1.0, 1.0), 1.0),  # 22 others
        ((1.0, 1.0, 1.9), 1.0),  # two threads of two cores
        ((1.0, 0.5, 1.8), 1.0),  # the asking thread slept while others worked
        ((5.0, 0.6, 1.8), 0.9),  # the same, under load
    ],
)
def test_seconds_are_those_of_an_idle_machine(clocks, told, seconds):
    clocks(*told)
    assert Stopwatch().seconds() == pytest.approx(seconds)


def test_work_outside_of_the_processor_is_waited_for(clocks):
    clocks(3.0, 0.1, 0.1)
    assert Stopwatch(waits=True).seconds() == pytest.approx(3.0)


def test_a_real_calculation_is_timed():
    watch, began = Stopwatch(), time.thread_time()
    while time.thread_time() - began < 0.02:
        pass
    assert 0.02 <= watch.seconds() < 0.2
