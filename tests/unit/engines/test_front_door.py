"""What importing the engines' front door loads."""

from __future__ import annotations

import subprocess
import sys


def test_the_front_door_loads_neither_llama_cpp_nor_an_http_client() -> None:
    program = "import sys, stockpot.engines; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"xllamacpp", "httpx", "click", "rich", "pydantic", "asyncio", "numpy"}
