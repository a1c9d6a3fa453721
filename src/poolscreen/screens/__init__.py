"""Screens: their tables, and what is wrong with them; read counts; simulation."""
