"""Bayesian hierarchical models for pooled CRISPR knock-out screens."""
