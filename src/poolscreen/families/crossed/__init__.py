"""Effects of genes and their sgRNAs, crossed with those of cell lines."""
