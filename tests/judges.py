"""Judges that others made and that need some care to be asked; the tests of several outputs share them."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from types import ModuleType
from typing import Any

import pytest

__all__ = ["navigator_understands"]


def navigator_understands(layer: dict[str, Any]) -> Any:
    """Return a layer as MITRE's own library for layers understands it.

    The library prints what it does not like, and goes on or has no layer then: it must have nothing to say.
    """
    layer_class = _layer_class()
    said = io.StringIO()
    with redirect_stdout(said):
        understood = layer_class(layer, strict=True).to_dict()
    assert said.getvalue() == ""
    return understood


def _layer_class() -> Any:
    """Import the part for layers without the packages above it, which import pandas and much else."""
    try:
        package = distribution("mitreattack-python")
    except PackageNotFoundError:
        pytest.skip("mitreattack-python is not installed: make setup")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("mitreattack", "mitreattack.navlayers"):
            bare = ModuleType(name)
            bare.__path__ = [str(package.locate_file(name.replace(".", "/")))]
            patch.setitem(sys.modules, name, bare)
        return import_module("mitreattack.navlayers.core.layer").Layer
