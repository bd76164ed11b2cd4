"""Images and sounds of recorded calls: seen, heard and kept, where the call was."""

from __future__ import annotations

import asyncio
import base64
import io
import wave
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmM"
    "IQAAAABJRU5ErkJggg=="
)
"""One pixel."""

ELSEWHERE = "https://pictures.example/leek.png"


def tone() -> str:
    """A tenth of a second of silence as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    return base64.b64encode(file.getvalue()).decode()


def ask(instance: Instance) -> str:
    """A call with an image, a sound and an image that is at another host."""
    content = [
        {"type": "text", "text": "What is on this plate?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "input_audio", "input_audio": {"data": tone(), "format": "wav"}},
        {"type": "image_url", "image_url": {"url": ELSEWHERE}},
    ]
    answer = httpx.post(
        f"{instance.gateway}/v1/chat/completions",
        headers={"authorization": f"Bearer {instance.key}"},
        json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": content}]},
        timeout=30,
    )
    return answer.headers["x-stockpot-trace-id"]


async def test_an_image_is_seen_a_sound_plays_and_what_is_elsewhere_stays_a_link(
    open_page: Open, instance: Instance
) -> None:
    trace_id = await asyncio.to_thread(ask, instance)
    page = await open_page(f"/traces/{trace_id}")  # fails if the page asks another host
    media = page.get_by_role("list", name="Media").first
    image = media.get_by_role("img", name="image/png")
    await expect(image).to_be_visible()
    assert await image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    sound = media.locator("audio")
    await sound.evaluate(
        "sound => new Promise((resolve, reject) => {"
        " sound.onended = resolve; sound.onerror = () => reject(sound.error);"
        " sound.muted = true; sound.play().catch(reject) })"
    )
    await expect(media.get_by_role("link", name=ELSEWHERE)).to_have_attribute("href", ELSEWHERE)
    async with page.expect_download() as kept:
        await media.get_by_role("link", name="Download").first.click()
    file = await kept.value
    assert file.suggested_filename == "media.png"
    assert (await file.path()).read_bytes() == base64.b64decode(PNG)
