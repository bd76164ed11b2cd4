"""Signing in by link and by password, sessions, and what protects them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.integration.control.plane import Plane, running

pytestmark = pytest.mark.integration

PASSWORD = "correct horse battery"


async def link_token(plane: Plane) -> str:
    answer = await (await plane.admin()).post("/api/v1/session/links")
    url = answer.json()["url"]
    address, _, token = url.partition("#token=")
    assert address == "http://127.0.0.1:4001/sign-in"
    return str(token)


async def with_password(plane: Plane) -> httpx.AsyncClient:
    browser = await plane.signed_in()
    new = {"password": PASSWORD, "email": "Ana@Example.org", "name": "Ana"}
    answer = await browser.post("/api/v1/session/password", json=new)
    assert answer.status_code == 200, answer.text
    return browser


async def attempt(client: httpx.AsyncClient, password: str, email: str = "ana@example.org") -> int:
    answer = await client.post("/api/v1/session", json={"email": email, "password": password})
    return answer.status_code


async def test_a_link_signs_in_once(plane: Plane) -> None:
    token = await link_token(plane)
    browser = await plane.client()
    first = await browser.post("/api/v1/session", json={"token": token})
    assert first.status_code == 200
    assert first.json()["user"]["role"] == "admin"
    assert first.json()["user"]["has_password"] is False
    again = await (await plane.client()).post("/api/v1/session", json={"token": token})
    assert again.status_code == 401
    assert "stockpot sign-in" in again.json()["error"]["hint"]


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(plane: Plane) -> None:
    answer = await (await plane.client()).post(
        "/api/v1/session", json={"token": await link_token(plane)}
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("stockpot_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert f"Max-Age={14 * 24 * 3600}" in cookie


async def test_a_password_set_after_the_first_sign_in_signs_in_later(plane: Plane) -> None:
    await with_password(plane)
    browser = await plane.client()
    assert await attempt(browser, PASSWORD, "ANA@example.org") == 200
    info = (await browser.get("/api/v1/session")).json()
    assert info["user"]["email"] == "ana@example.org"
    assert info["user"]["has_password"] is True


async def test_signing_out_ends_the_session(plane: Plane) -> None:
    browser = await plane.signed_in()
    assert (await browser.delete("/api/v1/session")).status_code == 204
    browser.cookies.clear()
    assert (await browser.get("/api/v1/session")).status_code == 401


async def test_a_stolen_cookie_is_useless_after_signing_out(plane: Plane) -> None:
    browser = await plane.signed_in()
    stolen = browser.cookies["stockpot_session"]
    await browser.delete("/api/v1/session")
    thief = await plane.client()
    thief.cookies.set("stockpot_session", stolen)
    assert (await thief.get("/api/v1/keys")).status_code == 401


async def test_a_new_password_ends_the_other_sessions(plane: Plane) -> None:
    one, other = await with_password(plane), await plane.client()
    assert await attempt(other, PASSWORD) == 200
    changed = await one.post("/api/v1/session/password", json={"password": "another good one"})
    assert changed.status_code == 200
    assert (await one.get("/api/v1/session")).status_code == 200
    assert (await other.get("/api/v1/session")).status_code == 401


async def test_a_password_session_needs_the_old_password_for_a_new_one(plane: Plane) -> None:
    await with_password(plane)
    browser = await plane.client()
    info = await browser.post(
        "/api/v1/session", json={"email": "ana@example.org", "password": PASSWORD}
    )
    browser.headers["x-stockpot-csrf"] = info.json()["csrf"]
    new = {"password": "another good one"}
    assert (await browser.post("/api/v1/session/password", json=new)).status_code == 403
    right = {**new, "current": PASSWORD}
    assert (await browser.post("/api/v1/session/password", json=right)).status_code == 200


async def test_guessing_waits_longer_and_longer_and_tells_for_how_long(plane: Plane) -> None:
    await with_password(plane)
    guesser = await plane.client(caller="203.0.113.7")
    assert [await attempt(guesser, f"guess {n}") for n in range(3)] == [401, 401, 401]
    wrong = {"email": "ana@example.org", "password": "guess"}
    refused = await guesser.post("/api/v1/session", json=wrong)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "too_many_attempts"
    assert int(refused.headers["retry-after"]) >= 1
    assert await attempt(guesser, PASSWORD) == 429  # not even the right one, for now
    elsewhere = await plane.client(caller="198.51.100.9")
    assert await attempt(elsewhere, PASSWORD) == 200  # the owner is not locked out


async def test_guesses_at_once_gain_nothing_over_guesses_in_turn(plane: Plane) -> None:
    import asyncio

    await with_password(plane)
    guesser = await plane.client(caller="203.0.113.7")
    answers = await asyncio.gather(*(attempt(guesser, f"guess {n}") for n in range(12)))
    assert sorted(answers) == [401] * 3 + [429] * 9


async def test_an_unknown_account_is_told_apart_by_nothing(plane: Plane) -> None:
    await with_password(plane)
    client = await plane.client()
    unknown = await client.post("/api/v1/session", json={"email": "no@x.org", "password": "x"})
    known = await client.post("/api/v1/session", json={"email": "ana@example.org", "password": "x"})
    assert (unknown.status_code, unknown.json()) == (known.status_code, known.json())


async def test_a_write_in_a_session_needs_its_csrf_value(plane: Plane) -> None:
    browser = await plane.signed_in()
    right = browser.headers.pop("x-stockpot-csrf")
    assert (await browser.get("/api/v1/keys")).status_code == 200
    for sent in ({}, {"x-stockpot-csrf": "0" * 64}, {"x-stockpot-csrf": ""}):
        answer = await browser.post("/api/v1/keys", json={"name": "x"}, headers=sent)
        assert answer.status_code == 403, sent
    answer = await browser.post(
        "/api/v1/keys", json={"name": "x"}, headers={"x-stockpot-csrf": right}
    )
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:4002"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_page_of_another_site_may_not_write(plane: Plane, headers: dict[str, str]) -> None:
    browser = await plane.signed_in()
    answer = await browser.post("/api/v1/keys", json={"name": "x"}, headers=headers)
    assert answer.status_code == 403
    signing_in = {"json": {"token": await link_token(plane)}, "headers": headers}
    assert (await browser.post("/api/v1/session", **signing_in)).status_code == 403  # type: ignore[arg-type]


async def test_the_consoles_own_origin_may_write(plane: Plane) -> None:
    browser = await plane.signed_in()
    headers = {"origin": "http://127.0.0.1:4001", "sec-fetch-site": "same-origin"}
    answer = await browser.post("/api/v1/keys", json={"name": "x"}, headers=headers)
    assert answer.status_code == 201


async def test_no_secret_is_at_rest(plane: Plane, tmp_path: Path) -> None:
    browser = await with_password(plane)
    cookie = browser.cookies["stockpot_session"]
    link = await link_token(plane)
    token = (await browser.post("/api/v1/tokens", json={"name": "t"})).json()["secret"]
    key = (await browser.post("/api/v1/keys", json={"name": "k"})).json()["key"]
    kept = await plane.kept()
    for secret in (PASSWORD, cookie, link, token, key):
        assert secret.encode() not in kept
    for file in (tmp_path / "home").glob("control.db"):
        assert file.stat().st_mode & 0o077 == 0


async def test_a_session_slides_and_ends_after_two_weeks_of_silence(tmp_path: Path) -> None:
    day = 24 * 3600 * 1000
    async with running(tmp_path) as plane:
        browser = await plane.signed_in()
        access = plane.app.state.gate
        begin = access._now()
        for days, status in ((13, 200), (26, 200), (41, 401)):
            access._now = lambda at=begin + days * day: at  # what is believed is long over
            assert (await browser.get("/api/v1/keys")).status_code == status


async def test_a_restart_keeps_sessions_and_users(tmp_path: Path) -> None:
    async with running(tmp_path) as plane:
        browser = await with_password(plane)
        cookie = browser.cookies["stockpot_session"]
    async with running(tmp_path) as plane:
        again = await plane.client()
        again.cookies.set("stockpot_session", cookie)
        assert (await again.get("/api/v1/session")).json()["user"]["name"] == "Ana"
    with sqlite3.connect(tmp_path / "control.db") as db:
        assert db.execute("SELECT count(*) FROM users").fetchone() == (1,)
    db.close()
