"""Threads: what every process that computes is told about them, and work that is done ahead."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

# The environment of every job: one thread each, as jobs run side by side, and one hash seed, as
# PyMC draws its graphs in the order of a set.
# Chains and jobs run side by side; threads within one would only wait for each other.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}

THREADS = os.process_cpu_count() or 1  # of work that is done ahead


def ahead[Item, Result](
    work: Callable[[Item], Result], items: Iterable[Item], threads: int = THREADS
) -> Iterator[Result]:
    """Work on items in threads, and give the results in order.

    Parameters
    ----------
    work : callable
        Takes an item. It gains from threads where it spends its time in NumPy, Arrow or SciPy.
    items : iterable
        What is worked on; it may be endless.
    threads : int
        How many items are worked on at a time, by default one on each core. No more than these, and
        one, are ahead of what has been taken, so that memory is bounded.

    Yields
    ------
    object
        What `work` returned. An error in it is raised when its turn comes.

    Examples
    --------
    >>> list(ahead(lambda n: n**2, range(5), threads=2))
    [0, 1, 4, 9, 16]
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
