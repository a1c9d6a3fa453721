"""A function in a process of its own: what it returns, what it raises, and how it ends."""

import asyncio
import os
import signal
import time

import psutil
import pytest

from poolscreen.errors import PoolscreenError, refuse
from press import apart


def call(function, *arguments):
    return asyncio.run(apart.call(function, *arguments))


def test_it_is_another_process():
    assert call(os.getpid) != os.getpid()


def test_what_a_user_can_mend_is_one_message():
    with pytest.raises(PoolscreenError, match=r"^1 fault:\n- there is no column gene$"):
        call(refuse, ["there is no column gene"])


def test_any_other_error_comes_with_its_traceback():
    with pytest.raises(PoolscreenError, match=r"(?s)Traceback.*ZeroDivisionError"):
        call(divmod, 1, 0)


def test_a_process_that_is_killed():
    with pytest.raises(PoolscreenError, match="_exit was killed"):
        call(os._exit, 1)


def test_an_interrupt_of_the_terminal_is_not_meant_for_it():
    assert call(signal.getsignal, signal.SIGINT) == signal.SIG_IGN


def test_who_no_longer_waits_ends_it():
    async def give_up():
        work = asyncio.create_task(apart.call(time.sleep, 10_000))
        while not (children := below()):
            await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.wait([work])
        return children

    def below():
        """What the server of processes has started."""
        own = psutil.Process().children(recursive=True)
        return [child for child in own if child.parent().pid != os.getpid()]

    gone, alive = psutil.wait_procs(asyncio.run(give_up()), timeout=600)
    assert gone
    assert not alive
