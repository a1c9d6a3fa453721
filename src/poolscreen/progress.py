"""Saying how far long work is."""

import time
from collections.abc import Callable

Say = Callable[[str], None]  # takes a message for whoever waits
SECONDS = 5.0  # from one message to the next


def silence(_: str) -> None:
    """Say nothing."""


class Progress:
    """Say how far some work is, but not all the time.

    Parameters
    ----------
    say : callable
        Takes the messages that are passed on.
    every : float
        Seconds from one message that is passed on to the next, at least; the first comes no sooner.
    clock : callable
        Returns the time in seconds.

    Examples
    --------
    By a clock that goes two seconds further each time, one message in three is passed on:

    >>> from itertools import count
    >>> progress = Progress(print, every=5, clock=count(step=2).__next__)
    >>> for number in range(7):
    ...     progress(f"{number + 1} of 7 screens")
    3 of 7 screens
    6 of 7 screens
    """

    def __init__(
        self, say: Say, *, every: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say, self._every, self._clock = say, every, clock
        self._last = clock()

    def __call__(self, message: str) -> None:
        """Pass a message on, or drop it if the one before is not long ago."""
        now = self._clock()
        if now - self._last >= self._every:
            self._last = now
            self._say(message)
