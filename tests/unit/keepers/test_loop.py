"""The loop outlives its node and ends when told to."""

from __future__ import annotations

import os
import signal

import pytest

from prime_perps.errors import NodeError
from prime_perps.keepers import loop
from prime_perps.keepers.loop import Stop


def test_run__once__works_a_single_time():
    done = []
    loop.run(lambda: done.append(1), Stop(), interval=0, once=True)
    assert done == [1]


def test_run__node_down__waits_and_goes_on(monkeypatch):
    monkeypatch.setattr(loop, "FIRST_BACKOFF", 0.001)
    stop, calls = Stop(), []

    def work():
        calls.append(1)
        if len(calls) < 3:
            raise NodeError("gone")
        stop.set()

    loop.run(work, stop, interval=0)
    assert len(calls) == 3


def test_run__node_down_and_once__raises():
    def work():
        raise NodeError("gone")

    with pytest.raises(NodeError, match="gone"):
        loop.run(work, Stop(), interval=0, once=True)


def test_run__any_other_error__ends_it():
    def work():
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        loop.run(work, Stop(), interval=0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_on_signals__signal_during_the_work__lets_it_finish_and_ends(number):
    stop, finished = Stop(), []

    def work():
        os.kill(os.getpid(), number)
        finished.append(1)

    with stop.on_signals():
        loop.run(work, stop, interval=60)
    assert finished == [1]


def test_on_signals__afterwards__handlers_are_as_before():
    before = signal.getsignal(signal.SIGINT)
    with Stop().on_signals():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_on_signals__second_signal__acts_as_usual():
    with Stop().on_signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(1)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
