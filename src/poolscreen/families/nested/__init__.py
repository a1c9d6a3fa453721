"""Effects of genes in cell lines, and of sgRNAs nested in them."""
