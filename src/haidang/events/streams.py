"""Opening: from what the user named to streams of bytes, through compression and archives.

``find_inputs`` lists what is to be read, ``split_input`` cuts large files into parts for several processes,
and ``open_input`` opens one input and yields each file in it with its batches of events. A ``Stream`` is what
a reader reads from.
"""

from __future__ import annotations

from haidang.events.inputs import Input, find_inputs, split_input
from haidang.events.opening import open_input
from haidang.events.stream import Stream

__all__ = ["Input", "Stream", "find_inputs", "open_input", "split_input"]
