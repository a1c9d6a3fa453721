"""`python -m poolscreen` is the command `poolscreen`."""

from poolscreen.cli import main

main()
