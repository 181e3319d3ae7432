"""python -m marketplace.cli: the command line without the console script."""

from marketplace.cli import main

main()
