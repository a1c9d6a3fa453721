"""What of a screen can be used, but should be known."""

import re

import numpy as np

from poolscreen.screens.rules import some
from poolscreen.screens.table import Screen

MAX_LOG_FC = 20.0  # to base 2, that of a count of one against a million
# MARCHF1 and SEPTIN2 had names that a spreadsheet takes for dates.
DATE = re.compile(r"\d{1,2}-(Mar|Sep|Dec|Oct)|\d{4}-\d{2}-\d{2}( 00:00:00)?", re.IGNORECASE)


def cautions(screen: Screen) -> list[str]:
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
    >>> table = pd.DataFrame(
    ...     {"cell_line": "A", "sgRNA": list("stu"), "gene": ["MYC", "MYC", "1-Mar"], "log_fc": 0.1}
    ... )
    >>> for caution in cautions(Screen(table)):
    ...     print(caution)
    1 of 2 genes have one sgRNA (1-Mar): a failed sgRNA cannot be told from an effect
    there is one cell line, A; nothing can be said of others
    1-Mar: these look like genes that a spreadsheet turned into dates
    """
    notes, n = [], screen.replicates
    missing = len(screen.sgrnas) * len(screen.cell_lines) - len(n)
    if missing:
        notes.append(
            f"{missing:,} of {missing + len(n):,} combinations of sgRNA and cell line have "
            "no row; effects there rest on the other sgRNAs of the gene, or on the prior"
        )
    if n.min() < n.max():
        notes.append(
            f"combinations of sgRNA and cell line have {n.min()} to {n.max()} "
            "replicates; those with more weigh more"
        )
    single = screen.sgrnas_per_gene[screen.sgrnas_per_gene == 1].index
    if len(single):
        notes.append(
            f"{len(single):,} of {len(screen.genes):,} genes have one sgRNA ({some(single)}): a "
            "failed sgRNA cannot be told from an effect"
        )
    if len(screen.cell_lines) == 1:
        notes.append(
            f"there is one cell line, {screen.cell_lines[0]}; nothing can be said of others"
        )
    dates = [gene for gene in screen.genes if DATE.fullmatch(gene)]
    if dates:
        notes.append(f"{some(dates)}: these look like genes that a spreadsheet turned into dates")
    values = np.abs(screen.log_fc)
    if values.max() > MAX_LOG_FC:
        notes.append(
            f"log_fc reaches {values.max():,.1f} in size: is it a log fold change, and not a "
            "count? (`poolscreen fold-change` makes fold changes of counts)"
        )
    return notes
