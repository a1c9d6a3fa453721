"""The one kind of error that a user is meant to read."""


class PoolscreenError(Exception):
    """Something that the user can mend; the message says what, where and how."""


def refuse(faults: list[str]) -> None:
    """Raise an error that names the faults, if there are any.

    Parameters
    ----------
    faults : list of str
        A phrase each.

    Raises
    ------
    PoolscreenError
        If there is a fault; it lists them.

    Examples
    --------
    >>> refuse([])
    >>> refuse(["there is no column gene", "there are no rows"])
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: 2 faults:
    - there is no column gene
    - there are no rows
    """
    if faults:
        raise PoolscreenError(
            f"{len(faults)} fault{'s' * (len(faults) > 1)}:\n"
            + "\n".join(f"- {fault}" for fault in faults)
        )
