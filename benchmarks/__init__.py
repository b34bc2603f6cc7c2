"""Side-by-side measurements: ratios of processor time taken in one run on one machine.

    make bench                       # everything that finds its data and its peers
    .venv/bin/python -m benchmarks --help

Every figure is of a whole child process as the operating system accounts for it, the median of several
runs, and every comparison is between runs that took turns. Nothing here is a test: machines differ.
"""
