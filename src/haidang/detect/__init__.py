"""Compiled rules × events → hits: the matcher, correlation, and their plain twins.

Nothing here reads files or writes outputs. :mod:`haidang.detect.matcher` is the fast one,
:mod:`haidang.detect.naive` the obviously right one; property tests hold the two together. The same goes
for :mod:`haidang.detect.correlation` and :mod:`haidang.detect.naive_correlation`.
"""
