"""`python -m press` makes the book."""

from press.cli import main

main()
