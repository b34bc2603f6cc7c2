"""The part that is in machine code, where it was built: see ``native/`` in the repository.

Nothing needs it: without it everything is found all the same, and takes longer. ``HAIDANG_NATIVE=0`` in the
environment leaves it out.
"""

from __future__ import annotations

import os
import warnings
from array import array
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ctypes

__all__ = ["LIBRARY", "library", "line_ends"]

LIBRARY = Path(__file__).with_name("_native.so")
"""Where building puts it."""
_INTERFACE = 2
"""What ``hd_interface`` must say: the calls below are those of this number."""


@cache
def library() -> ctypes.CDLL | None:
    """Return the library, None where it was not built or is not wanted; warn where it cannot be used."""
    if os.environ.get("HAIDANG_NATIVE") == "0" or not LIBRARY.exists():
        return None
    try:
        found = _load()
        problem = "" if found is not None else "it is of another version"
    except (OSError, AttributeError, ImportError, MemoryError) as error:
        # A system may be so hardened that Python can load nothing.
        found, problem = None, str(error) or type(error).__name__
    if problem:
        warnings.warn(
            f"{LIBRARY} cannot be used: {problem}. Everything works, and scanning JSON takes longer; "
            "installing the package again builds it again.",
            stacklevel=2,
        )
    return found


def _load() -> ctypes.CDLL | None:
    """Load the library and say how its calls are to be made; None for one of another version."""
    import ctypes

    pointer, size, uint = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32
    calls: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "hd_interface": (uint, ()),
        "hd_ends": (size, (ctypes.c_char_p, size, pointer, size)),
        "hd_new": (pointer, (ctypes.c_uint64, size, size)),
        "hd_free": (None, (pointer,)),
        "hd_slot": (ctypes.c_int64, (pointer, ctypes.c_char_p, size)),
        "hd_forbid": (None, (pointer, uint)),
        "hd_imply": (None, (pointer, uint, uint)),
        "hd_route_by": (None, (pointer, pointer, size, pointer, pointer, size)),
        "hd_memo": (uint, (pointer,)),
        "hd_text": (uint, (pointer, ctypes.c_bool, size, size)),
        "hd_plan": (uint, (pointer, uint, ctypes.c_bool, ctypes.c_bool)),
        "hd_require": (None, (pointer, uint, pointer, size)),
        "hd_cell": (None, (pointer, uint, uint, ctypes.c_int32, pointer, size)),
        "hd_learn": (None, (pointer, pointer, size)),
        "hd_forget_text": (None, (pointer, uint)),
        "hd_forget": (None, (pointer,)),
        "hd_look": (size, (pointer, ctypes.c_char_p, pointer, size, size, pointer, pointer)),
        "hd_again": (None, (pointer, ctypes.c_char_p, pointer, size, pointer, pointer, size)),
        "hd_misses": (pointer, (pointer, ctypes.POINTER(size))),
        "hd_gated": (pointer, (pointer, ctypes.POINTER(size))),
        "hd_columns_new": (pointer, ()),
        "hd_columns_free": (None, (pointer,)),
        "hd_columns_cells": (
            pointer,
            (pointer, pointer, size, pointer, size, pointer, size, ctypes.POINTER(size)),
        ),
        "hd_columns_join": (pointer, (pointer, pointer, size, pointer, size, ctypes.POINTER(size))),
        "hd_columns_rows": (pointer, (pointer, pointer, size, ctypes.POINTER(size))),
    }
    found = ctypes.CDLL(str(LIBRARY))
    found.hd_interface.restype = uint
    if found.hd_interface() != _INTERFACE:
        return None
    for name, (result, arguments) in calls.items():
        call = getattr(found, name)
        call.restype, call.argtypes = result, arguments
    return found


def line_ends(data: bytes, most: int) -> array[int]:
    """Return where the first lines end, ``most`` of them, each line end included.

    Raises:
        RuntimeError: There is no library.
    """
    found = library()
    if found is None:
        raise RuntimeError("There is no library.")
    ends = array("Q", bytes(8 * most))
    count = found.hd_ends(data, len(data), ends.buffer_info()[0], most)
    del ends[count:]
    return ends
