"""A control plane in this process; or one for all tests with two real workers in front of a
vendor's stand-in, since starting three processes takes seconds."""

from collections.abc import Iterator

import pytest

from tests.integration.control.plane import plane
from tests.integration.revisions.fleet import Fleet, file
from tests.running import eventually
from tests.vendors.openai_stub import OpenAIStub

__all__ = ["plane"]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    home = tmp_path_factory.mktemp("prompts") / "home"
    with OpenAIStub() as stub, Fleet(home, stub) as made:
        made.apply(file(stub, "good"), now=True)
        eventually(lambda: all(made.chat(n).status_code == 200 for n in range(2)))
        yield made
