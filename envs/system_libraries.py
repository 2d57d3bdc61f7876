"""The system libraries that the Python packages do not bring: SUMO's, and OpenGL for pictures of the Ant.

Runs before anything is installed, with the standard library alone: ``python envs/system_libraries.py`` names what
is missing and, when it runs as root on a system with apt, installs it.  Nothing works without SUMO's; pictures are
optional.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

#: Shared libraries that libsumo loads, and the Debian packages that hold them.
SUMO = {
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libatomic.so.1": "libatomic1",
    "libexpat.so.1": "libexpat1",
}

#: The same for MuJoCo's off-screen renderer; with the packages comes Mesa, which draws without a GPU.
PICTURES = {"libEGL.so.1": "libegl1", "libGL.so.1": "libgl1"}


def missing(libraries: Mapping[str, str]) -> list[str]:
    """Debian packages of the libraries that cannot be loaded."""
    absent = []
    for library, package in libraries.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            absent.append(package)
    return absent


def remedy(purpose: str, packages: list[str]) -> str:
    """One line that says what is missing for a purpose, and how to get it."""
    command = f"apt-get update && apt-get install -y {' '.join(packages)}"
    return f"system libraries for {purpose} are missing; install them with: {command}"


def install(packages: list[str]) -> None:
    """Install Debian packages; needs root."""
    subprocess.run(["apt-get", "update", "--quiet"], check=True)
    subprocess.run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages], check=True)


def provide(purpose: str, libraries: Mapping[str, str]) -> str | None:
    """Install what is missing, if possible; returns what to do about that which is still missing."""
    packages = missing(libraries)
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing system libraries for {purpose}: {' '.join(packages)}")
        try:
            install(packages)
        except subprocess.CalledProcessError as error:
            print(f"{' '.join(error.cmd)} failed", file=sys.stderr)
        packages = missing(libraries)
    return remedy(purpose, packages) if packages else None


def main() -> int:
    """Check, and install if possible; returns the exit status."""
    if hint := provide("pictures and videos of the Ant", PICTURES):
        print(f"note: {hint}", file=sys.stderr)
    if reason := provide("SUMO", SUMO):
        print(f"error: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
