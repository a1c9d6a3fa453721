"""Tables that several tests use."""

import numpy as np
import pandas as pd


def small_table(replicates: int = 2) -> pd.DataFrame:
    """Twelve genes of three sgRNAs in three cell lines; gene g0 is lost everywhere."""
    rng = np.random.default_rng(0)
    names = [f"g{g}_{s}" for g in range(12) for s in range(3)]
    index = pd.MultiIndex.from_product(
        [["HL60", "KBM7", "K562"], names, range(replicates)],
        names=["cell_line", "sgRNA", "replicate"],
    )
    table = index.to_frame(index=False)
    table["gene"] = table["sgRNA"].str.split("_").str[0]
    table["log_fc"] = rng.normal(0, 0.3, len(table)) - 3 * (table["gene"] == "g0")
    return table
