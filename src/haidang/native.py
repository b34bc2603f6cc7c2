"""The part that is in machine code, where it was built: see ``native/`` in the repository.

Nothing needs it: without it everything is found all the same, and takes longer. ``HAIDANG_NATIVE=0`` in the
environment leaves it out.
"""

from __future__ import annotations

import ctypes
import os
import warnings
from array import array
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["LIBRARY", "library", "line_ends"]

LIBRARY = Path(__file__).with_name("_native.so")
"""Where building puts it."""
_INTERFACE = 1
"""What ``hd_interface`` must say: the calls below are those of this number."""

_POINTER, _SIZE, _UINT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32
_CALLS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "hd_interface": (_UINT, ()),
    "hd_ends": (_SIZE, (ctypes.c_char_p, _SIZE, _POINTER, _SIZE)),
    "hd_new": (_POINTER, (ctypes.c_uint64, _SIZE, _SIZE)),
    "hd_free": (None, (_POINTER,)),
    "hd_slot": (ctypes.c_int64, (_POINTER, ctypes.c_char_p, _SIZE)),
    "hd_forbid": (None, (_POINTER, _UINT)),
    "hd_imply": (None, (_POINTER, _UINT, _UINT)),
    "hd_route_by": (None, (_POINTER, _POINTER, _SIZE, _POINTER, _POINTER, _SIZE)),
    "hd_memo": (_UINT, (_POINTER,)),
    "hd_text": (_UINT, (_POINTER, ctypes.c_bool, _SIZE, _SIZE)),
    "hd_plan": (_UINT, (_POINTER, _UINT, ctypes.c_bool, ctypes.c_bool)),
    "hd_require": (None, (_POINTER, _UINT, _POINTER, _SIZE)),
    "hd_cell": (None, (_POINTER, _UINT, _UINT, ctypes.c_int32, _POINTER, _SIZE)),
    "hd_learn_route": (None, (_POINTER, ctypes.c_char_p, _SIZE, _UINT)),
    "hd_learn_class": (None, (_POINTER, _UINT, ctypes.c_char_p, _SIZE, _UINT, ctypes.c_bool)),
    "hd_learn_signature": (None, (_POINTER, ctypes.c_char_p, _SIZE, _UINT)),
    "hd_learn_text": (None, (_POINTER, _UINT, _UINT, ctypes.c_char_p, _SIZE, _UINT)),
    "hd_forget_text": (None, (_POINTER, _UINT)),
    "hd_forget": (None, (_POINTER,)),
    "hd_look": (_SIZE, (_POINTER, ctypes.c_char_p, _POINTER, _SIZE, _SIZE, _POINTER, _POINTER)),
    "hd_again": (None, (_POINTER, ctypes.c_char_p, _POINTER, _SIZE, _POINTER, _POINTER, _SIZE)),
    "hd_misses": (_POINTER, (_POINTER, ctypes.POINTER(_SIZE))),
    "hd_gated": (_POINTER, (_POINTER, ctypes.POINTER(_SIZE))),
}


@cache
def library() -> ctypes.CDLL | None:
    """Return the library, None where it was not built or is not wanted; warn where it cannot be used."""
    if os.environ.get("HAIDANG_NATIVE") == "0" or not LIBRARY.exists():
        return None
    try:
        found = ctypes.CDLL(str(LIBRARY))
        found.hd_interface.restype = _UINT
        problem = "" if found.hd_interface() == _INTERFACE else "it is of another version"
        for name, (result, arguments) in () if problem else _CALLS.items():
            call = getattr(found, name)
            call.restype, call.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        problem = str(error)
    if not problem:
        return found
    warnings.warn(
        f"{LIBRARY} cannot be used: {problem}. Everything works, and scanning JSON takes longer; "
        "installing the package again builds it again.",
        stacklevel=2,
    )
    return None


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
