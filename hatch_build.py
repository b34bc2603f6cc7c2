"""Build the part in machine code, ``native/``, where a Rust compiler is at hand.

The package works without it, and takes longer. ``HAIDANG_NATIVE=0`` in the environment leaves it out;
``HAIDANG_NATIVE=1`` makes it an error that it cannot be built, for whoever makes wheels.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NAMES = ("libhaidang_native.so", "libhaidang_native.dylib", "haidang_native.dll")
_PLACE = Path("src", "haidang", "_native.so")


class NativeBuildHook(BuildHookInterface[Any]):
    """Builds the library and puts it beside the modules."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface's
        """Build before the files of the wheel are gathered."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        place = root / _PLACE
        wanted = os.environ.get("HAIDANG_NATIVE", "")
        problem = "it is left out" if wanted == "0" else _build(root, place)
        if problem:
            place.unlink(missing_ok=True)
            if wanted == "1":
                message = f"The part in machine code cannot be built: {problem}."
                raise RuntimeError(message)
            self.app.display_warning(f"Without the part in machine code ({problem}): all works, more slowly.")
            return
        # Any Python loads it; it is for this system alone.
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(f"/{_PLACE.as_posix()}")


def _build(root: Path, place: Path) -> str:
    """Build the library into ``place``; return what is wrong, "" if nothing is."""
    cargo = shutil.which("cargo")
    if cargo is None:
        return "there is no Rust compiler: no program cargo"
    target = root / "native" / "target"
    done = subprocess.run(  # noqa: S603 - the compiler that is on the path, as for any build
        [cargo, "build", "--release", "--locked", "--offline", "--quiet", "--target-dir", str(target)],
        cwd=root / "native",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return f"cargo says: {done.stderr.strip()[-800:]}"
    built = next((target / "release" / name for name in _NAMES if (target / "release" / name).exists()), None)
    if built is None:
        return "cargo built no library"
    # Whoever has the old one loaded keeps it.
    part = place.with_suffix(".part")
    shutil.copyfile(built, part)
    part.replace(place)
    return ""
