"""A screen of one's own: from a file to a checked table, a fit, a report."""
