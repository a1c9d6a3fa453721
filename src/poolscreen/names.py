"""Names of genes, sgRNAs and cell lines, which may be called anything: as they are shown."""

LONGEST = 40  # letters of a name in a figure; in a table as many in one word
CUT = 120  # letters of a text in a cell of a table


def visible(text: str, keep: str = "") -> str:
    r"""Write out what cannot be seen: control characters, marks of direction, odd spaces.

    They could move the cursor of a terminal, break a line, or turn the text after them around.

    Parameters
    ----------
    text : str
        Any text.
    keep : str
        Characters that stay as they are.

    Returns
    -------
    str

    Examples
    --------
    >>> visible("MYC\x1b[31m"), visible("a\u202eb"), visible("a\nb"), visible("a\nb", keep="\n")
    ('MYC\\x1b[31m', 'a\\u202eb', 'a\\nb', 'a\nb')
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or letter in keep
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


def short(text: object, longest: int = LONGEST) -> str:
    """Write a name so that it can be seen, and cut it if it is too long to be shown.

    Parameters
    ----------
    text : object
        A name.
    longest : int
        Letters that are left, with the dots that stand for the rest.

    Returns
    -------
    str

    Examples
    --------
    >>> short("MYC"), short("MYC" * 100, 10)
    ('MYC', 'MYCMYCMYC…')
    """
    seen = visible(str(text))
    return seen if len(seen) <= longest else f"{seen[: longest - 1]}…"


def drawn(text: object) -> str:
    r"""Return a name for a figure: short, and a dollar sign begins no formula.

    Parameters
    ----------
    text : object
        A name.

    Returns
    -------
    str

    Examples
    --------
    >>> print(drawn("$x"))
    \$x
    """
    return short(text).replace("$", r"\$")
