"""Families of models whose effects integrate out, given their scales."""
