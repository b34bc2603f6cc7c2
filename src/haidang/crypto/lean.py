"""Loads of pyHanko what is used, and nothing else.

``import pyhanko.sign.validation`` loads every kind of signer, a client for HTTP and the lists of trust of the
European Union: 0.7 s, more than the whole of ``haidang verify`` may take. The packages concerned only hand on
names of their modules. Here they are put into ``sys.modules`` as they are before their ``__init__`` has run:
whoever imports a module of theirs gets it, whoever asks them for a name has the ``__init__`` run then.

That verification imports no client for HTTP also shows that it cannot use the network.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
import threading
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from haidang.crypto.extra import needs_extra

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["lean_pyhanko", "loading_alongside", "quiet_pyhanko"]

_LATER: Mapping[str, Mapping[str, str]] = {
    "pyhanko.sign": {},
    "pyhanko.sign.signers": {},
    "pyhanko.sign.timestamps": {
        "TimeStamper": "api",
        "DummyTimeStamper": "dummy_client",
        "TimestampRequestError": "common_utils",
        "HTTPTimeStamper": "aiohttp_client",
    },
}
"""Packages, and which of their modules has a name that modules in use ask for."""


class _Later(ModuleType):
    """A package whose ``__init__`` runs when somebody asks for a name that it gives."""

    def __init__(self, name: str, homes: Mapping[str, str]) -> None:
        super().__init__(name)
        self._homes = homes
        self._has_run = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if name in self._homes:
            return getattr(importlib.import_module(f"{self.__name__}.{self._homes[name]}"), name)
        spec = self.__spec__
        if self._has_run or spec is None or spec.loader is None:
            raise AttributeError(name)
        if find_spec(f"{self.__name__}.{name}") is not None:
            # ``from pyhanko.sign import attributes`` asks for the name before it looks for the module.
            return importlib.import_module(f"{self.__name__}.{name}")
        self._has_run = True
        spec.loader.exec_module(self)
        return getattr(self, name)


def quiet_pyhanko() -> None:
    """Have pyHanko say on stderr nothing of what it warns of: it is in our verdicts."""
    for logger in ("pyhanko", "pyhanko_certvalidator"):
        if not logging.getLogger(logger).handlers:
            logging.getLogger(logger).addHandler(logging.NullHandler())


def lean_pyhanko() -> None:
    """Have later imports of pyHanko load only what they use; call it before the first of them.

    Packages that are loaded already stay as they are.

    Raises:
        ConfigurationError: pyHanko is not installed.
    """
    quiet_pyhanko()
    with needs_extra():
        import pyhanko  # noqa: F401 -- the parent of the packages below
    for name, homes in _LATER.items():
        if name in sys.modules:
            continue
        spec = find_spec(name)
        if spec is None or spec.submodule_search_locations is None:
            continue
        package = _Later(name, homes)
        package.__spec__ = spec
        package.__loader__ = spec.loader
        package.__package__ = name
        package.__path__ = list(spec.submodule_search_locations)
        package.__file__ = spec.origin
        sys.modules[name] = package
        parent, _, child = name.rpartition(".")
        setattr(sys.modules[parent], child, package)


@contextlib.contextmanager
def loading_alongside(*modules: str) -> Iterator[None]:
    """Load modules in a thread while the block works, and mostly waits; they are there when it has ended.

    The block must import none of them. What cannot be loaded is left to whoever imports it then, and says so.
    """
    lean_pyhanko()

    def load() -> None:
        with contextlib.suppress(ImportError):
            for name in modules:
                importlib.import_module(name)

    thread = threading.Thread(target=load, name="loading", daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
