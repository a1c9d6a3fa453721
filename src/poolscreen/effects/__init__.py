"""What a fit says of genes and sgRNAs."""
