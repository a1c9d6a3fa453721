"""The one kind of error that a user is meant to read."""


class PoolscreenError(Exception):
    """Something that the user can mend; the message says what, where and how."""
