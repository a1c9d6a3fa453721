"""What of a screen can be used, but should be known."""

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # pandera takes a second to import
    from poolscreen.screens.table import Screen
from poolscreen.screens.rules import some

LARGEST = 20.0  # |log fold change| of a count of one against a million
DATE = re.compile(r"\d{1,2}-(Mar|Sep|Dec|Oct)", re.IGNORECASE)


def cautions(screen: "Screen") -> list[str]:
    """Say what of a screen can be used, but should be known.

    Parameters
    ----------
    screen : Screen
        The screen.

    Returns
    -------
    list of str
        Nothing if all is as it should be.

    Examples
    --------
    >>> from poolscreen.screens.table import Screen
    >>> table = pd.DataFrame(
    ...     {"cell_line": "A", "sgRNA": list("stu"), "gene": ["MYC", "MYC", "1-Mar"], "log_fc": 0.1}
    ... )
    >>> for caution in cautions(Screen(table)):
    ...     print(caution)
    1 of 2 genes have one sgRNA (1-Mar): a failed sgRNA cannot be told from an effect
    there is one cell line, A; nothing can be said of others
    1-Mar: these look like genes that a spreadsheet turned into dates
    """
    found = []
    n, _ = screen.sums("sgRNA")
    counts = n[n > 0]
    missing = n.size - counts.size
    if missing:
        found.append(
            f"{missing:,} of {missing + len(counts):,} combinations of sgRNA and cell line have "
            "no row; effects there rest on the other sgRNAs of the gene, or on the prior"
        )
    if counts.min() < counts.max():
        found.append(
            f"combinations of sgRNA and cell line have {counts.min()} to {counts.max()} "
            "replicates; those with more weigh more"
        )
    single = screen.sgrnas_per_gene[screen.sgrnas_per_gene == 1].index
    if len(single):
        found.append(
            f"{len(single):,} of {len(screen.genes):,} genes have one sgRNA ({some(single)}): a "
            "failed sgRNA cannot be told from an effect"
        )
    if len(screen.cell_lines) == 1:
        found.append(
            f"there is one cell line, {screen.cell_lines[0]}; nothing can be said of others"
        )
    dates = [gene for gene in screen.genes if DATE.fullmatch(gene)]
    if dates:
        found.append(f"{some(dates)}: these look like genes that a spreadsheet turned into dates")
    values = np.abs(screen.log_fc)
    if values.max() > LARGEST:
        found.append(
            f"log_fc reaches {values.max():,.1f} in size: is it a log fold change, and not a "
            "count? (`poolscreen fold-change` makes fold changes of counts)"
        )
    return found
