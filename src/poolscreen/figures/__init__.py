"""Figures: functions from tidy tables to plots (plotnine, seaborn, ArviZ)."""
