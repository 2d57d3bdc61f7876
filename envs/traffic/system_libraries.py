"""The system libraries that SUMO's wheels do not bring.

Runs before anything is installed, with the standard library alone: ``python envs/traffic/system_libraries.py``
names what is missing and, when it runs as root on a system with apt, installs it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys

#: Shared libraries that libsumo loads, and the Debian packages that hold them.
PACKAGES = {
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libatomic.so.1": "libatomic1",
    "libexpat.so.1": "libexpat1",
}


def missing() -> list[str]:
    """Debian packages of the libraries that cannot be loaded."""
    absent = []
    for library, package in PACKAGES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            absent.append(package)
    return absent


def remedy(packages: list[str]) -> str:
    """One line that says what is missing and how to get it."""
    command = f"apt-get update && apt-get install -y {' '.join(packages)}"
    return f"SUMO needs system libraries that are missing; install them with: {command}"


def install(packages: list[str]) -> None:
    """Install Debian packages; needs root."""
    subprocess.run(["apt-get", "update", "--quiet"], check=True)
    subprocess.run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages], check=True)


def main() -> int:
    """Check, and install if possible; returns the exit status."""
    packages = missing()
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing system libraries for SUMO: {' '.join(packages)}")
        install(packages)
        packages = missing()
    if packages:
        print(f"error: {remedy(packages)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
