"""The stock npm SDKs that tests drive: where they are, and how they get there."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path

NPM = Path(__file__).parent


def installed() -> None:
    """Install the locked packages once, whichever test process comes first."""
    with (NPM / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = NPM / "node_modules/.package-lock.json"
        if (
            not marker.exists()
            or marker.stat().st_mtime < (NPM / "package-lock.json").stat().st_mtime
        ):
            subprocess.run(["npm", "ci", "--silent"], cwd=NPM, check=True, timeout=300)
