"""Numbers that the prose of a chapter quotes."""

from collections.abc import Mapping


def numbers(values: Mapping[str, float | str]) -> None:
    """Give numbers to the prose, which quotes them by their names.

    Prose quotes ``{glue:text}`name:.2f``` on the same page, and
    ``{glue:text}`../notebooks/02_model_7a.ipynb::name:.2f``` on another.

    Parameters
    ----------
    values : mapping of str to float or str
        What the prose quotes, by name.

    Examples
    --------
    NumPy's numbers become Python's, which prose can format:

    >>> from unittest.mock import patch
    >>> with patch("myst_nb.glue") as glue:
    ...     numbers({"share": np.float64(0.31)})
    >>> glue.call_args.args
    ('share', 0.31)
    """
    from myst_nb import glue

    for name, value in values.items():
        # A NumPy number would be kept as text that cannot be formatted.
        plain = value.item() if hasattr(value, "item") else value
        glue(name, plain, display=False)
