"""The command line: one thin module for each command; the work is done in the packages to the left.

A module whose name does not begin with an underscore and that defines ``COMMAND``
(:class:`haidang.cli._command.Command`) is a command; there is no list to edit::

    $ haidang scan logs/ --output report.html
"""

from __future__ import annotations

__all__: list[str] = []
