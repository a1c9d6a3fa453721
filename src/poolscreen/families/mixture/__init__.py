"""Genes of which most have no effect, and guides that differ in proportion to it (model 9)."""
