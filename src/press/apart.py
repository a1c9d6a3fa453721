"""A function in a process of its own, which has the packages of others in memory already.

It imports the project's code when it is called, as that is then: what a process that lives on has
imported stays as it was. Packages take seconds to import, and do not change.
"""

import asyncio
import gc
import multiprocessing
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection

from poolscreen.errors import PoolscreenError

CONTEXT = multiprocessing.get_context("forkserver")


def preload(packages: list[str]) -> None:
    """Say what processes have in memory when they start; the first one waits for it."""
    CONTEXT.set_forkserver_preload(packages)


async def call[T](function: Callable[..., T], *arguments: object) -> T:
    """Call a function in a process of its own.

    Parameters
    ----------
    function : callable
        A function of a module.
    *arguments
        What it is given; they are pickled, as is what it returns.

    Returns
    -------
    object
        What it returns.

    Raises
    ------
    PoolscreenError
        That of the function, or one with the traceback of any other error. If this is cancelled,
        so is the process.

    Examples
    --------
    >>> asyncio.run(call(divmod, 7, 2))
    (3, 1)
    """
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_answer, args=(theirs, function, arguments))
    process.start()
    theirs.close()
    answer: T
    fault: str
    try:
        answer, fault = await asyncio.to_thread(ours.recv)
    except EOFError:
        raise PoolscreenError(f"{function.__name__} was killed; is there memory enough?") from None
    finally:
        process.terminate()  # it has answered, or is no longer asked
        await asyncio.to_thread(process.join)
        ours.close()
    if fault:
        raise PoolscreenError(fault)
    return answer


def _answer(
    pipe: Connection, function: Callable[..., object], arguments: tuple[object, ...]
) -> None:
    """Send what a function returns, or what is wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks ends it
    gc.disable()  # its life is short, and a fifth of it would go into looking for garbage
    try:
        pipe.send((function(*arguments), ""))
    except PoolscreenError as error:
        pipe.send((None, str(error)))
    except Exception:
        pipe.send((None, traceback.format_exc()))
