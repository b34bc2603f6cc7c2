"""Compiles and runs the Java programs of this folder; needs Java 17, Maven and Maven's registry."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

__all__ = ["run_java"]

HERE = Path(__file__).parent


def run_java(build: Path, program: str, *arguments: str) -> None:
    """Run ``program`` (the name of its class), compiled in the new folder ``build``."""
    (build / "src/main/java").mkdir(parents=True)
    shutil.copy(HERE / "pom.xml", build)
    shutil.copy(HERE / f"{program}.java", build / "src/main/java")
    maven = ["mvn", "-q", "-B", "-f", str(build / "pom.xml")]
    classpath = build / "classpath"
    subprocess.run(
        [*maven, "compile", "dependency:build-classpath", f"-Dmdep.outputFile={classpath}"], check=True
    )
    path = f"{build / 'target/classes'}:{classpath.read_text().strip()}"
    subprocess.run(["java", "-cp", path, program, *arguments], check=True)
