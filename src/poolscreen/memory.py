"""How it is known that memory ran out."""

import errno
import os
import traceback

# What the system, its loader and Python say where there is no memory for data, a library, a thread.
NO_MEMORY = (
    os.strerror(errno.ENOMEM),
    "failed to map segment from shared object",
    "can't start new thread",
)


def out_of_memory(error: Exception) -> bool:
    """Tell whether an error says that memory ran out; libraries raise several kinds of it.

    Parameters
    ----------
    error : Exception
        Any error.

    Returns
    -------
    bool

    Examples
    --------
    >>> out_of_memory(MemoryError()), out_of_memory(RuntimeError("can't start new thread"))
    (True, True)
    >>> out_of_memory(ValueError("a bad value"))
    False
    """
    said = "".join(traceback.format_exception(error))
    return isinstance(error, MemoryError) or any(words in said for words in NO_MEMORY)
