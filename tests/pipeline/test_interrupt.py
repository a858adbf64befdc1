import os
import signal
import time

import pytest

from pipeline.interrupt import insistent


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)


def test_an_interrupt_that_is_swallowed_comes_again() -> None:
    swallowed = 0
    with pytest.raises(KeyboardInterrupt), insistent(seconds=0.05):
        for _ in range(3):
            try:
                press()
            except BaseException:
                swallowed += 1
        time.sleep(5)
    assert swallowed == 3


def test_after_the_block_nothing_is_left_of_it() -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)]
    with pytest.raises(KeyboardInterrupt), insistent(seconds=0.05):
        press()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)] == handlers
    time.sleep(0.2)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_without_an_interrupt_nothing_happens() -> None:
    with insistent(seconds=0.01):
        time.sleep(0.05)
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
