"""Signing in by a provider, over real sockets, with real redirects, as a browser follows them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn

from stockpot.access.oidc import ASK_AGAIN_S, KEPT_S, Errand, OidcClient, Provider, providers_of
from stockpot.app import control_app
from stockpot.core import config
from stockpot.core.config import Tables
from stockpot.core.errors import ConfigError, Forbidden
from stockpot.core.instance import Instance
from tests.vendors.oidc_provider import OidcProvider, serving

pytestmark = pytest.mark.integration

LIES = ("nonce", "expired", "old", "audience", "two audiences", "issuer", "no subject", "alg none",
        "hmac", "unpublished key", "stolen name", "altered", "denied")  # fmt: skip


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with serving() as started:
        yield started


class Site:
    """A control plane that a browser reaches over a socket."""

    def __init__(self, home: Path, provider: OidcProvider, **more: Any) -> None:
        secret = home / "client-secret"
        home.mkdir(exist_ok=True)
        secret.write_text(f"{provider.client_secret}\n")
        row = {"name": "staff", "title": "Our staff", "issuer": provider.issuer,
               "client_id": provider.client_id, "client_secret": f"file:{secret}",
               "domains": ["example.org"]}  # fmt: skip
        settings = config.load({"STOCKPOT_HOME": str(home)})
        rows = [{**row, **more.pop("row", {})}, *more.pop("others", [])]
        changes = {"discover": False, "oidc": Tables(rows), **more}
        self._server = uvicorn.Server(uvicorn.Config("x:y", port=0, log_level="critical"))
        # The address is known before the application is made: it stands in the redirect URI.
        self._sockets = [self._server.config.bind_socket()]
        self.url = f"http://127.0.0.1:{self._sockets[0].getsockname()[1]}"
        settings = settings.replaced(**{"public_url": self.url, **changes})
        self.instance = Instance(home)
        self._server.config.app = control_app(settings, self.instance, watch=True)
        self._thread = threading.Thread(target=self._server.run, args=(self._sockets,))
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            time.sleep(0.02)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        for opened in self._sockets:
            opened.close()

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=60)

    def admin(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.instance.derive('cli')}"}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=60)


@contextlib.contextmanager
def site(home: Path, provider: OidcProvider, **more: Any) -> Iterator[Site]:
    started = Site(home, provider, **more)
    try:
        yield started
    finally:
        started.close()


def follow(browser: httpx.Client, start: str = "/api/v1/sign-in/staff") -> httpx.Response:
    """To the provider and back; the answer of the callback itself."""
    leaving = browser.get(start)
    assert leaving.status_code == 303, leaving.text
    at_provider = browser.get(leaving.headers["location"])
    assert at_provider.status_code == 302, at_provider.text
    return browser.get(at_provider.headers["location"])


def test_somebody_of_an_allowed_domain_signs_in_and_is_known_the_next_time(
    tmp_path: Path, provider: OidcProvider
) -> None:
    with site(tmp_path / "home", provider) as at, at.browser() as one, at.browser() as two:
        ways = one.get("/api/v1/sign-in").json()
        assert ways == {
            "password": True, "providers": [{"name": "staff", "title": "Our staff"}]
        }  # fmt: skip
        arrived = follow(one, "/api/v1/sign-in/staff?next=/traces%3Fq%3Dsoup")
        assert (arrived.status_code, arrived.headers["location"]) == (303, "/traces?q=soup")
        me = one.get("/api/v1/session").json()
        assert (me["user"]["email"], me["user"]["role"]) == ("ana@example.org", "own")
        provider.user["email"] = "ana.new@example.org"  # the subject is who counts
        assert follow(two).status_code == 303
        assert two.get("/api/v1/session").json()["user"]["id"] == me["user"]["id"]
        with at.admin() as admin:
            actions = [e["action"] for e in admin.get("/api/v1/audit").json()]
        assert actions.count("user.create") == 2  # the instance's first admin, and Ana
        assert actions.count("session.begin") == 2
    assert provider.refusals == []


def test_a_write_needs_the_sessions_csrf_value_and_goes_with_it(
    tmp_path: Path, provider: OidcProvider
) -> None:
    with site(tmp_path / "home", provider, row={"role": "editor"}) as at, at.browser() as ana:
        follow(ana)
        new = {"name": "app"}
        assert ana.post("/api/v1/keys", json=new).status_code == 403
        csrf = ana.get("/api/v1/session").json()["csrf"]
        made = ana.post("/api/v1/keys", json=new, headers={"x-stockpot-csrf": csrf})
        assert made.status_code == 201


def test_a_token_that_lies_signs_nobody_in(tmp_path: Path, provider: OidcProvider) -> None:
    with site(tmp_path / "home", provider) as at, at.admin() as admin:
        for provider.lie in LIES:
            with at.browser() as browser:
                answer = follow(browser)
                assert answer.status_code == 403, (provider.lie, answer.text)
                assert answer.json()["error"]["code"] == "forbidden"
                assert "stockpot_session" not in browser.cookies
        assert [u["email"] for u in admin.get("/api/v1/users").json()] == ["admin@localhost"]
        provider.lie = ""
        with at.browser() as browser:
            assert follow(browser).status_code == 303


def test_a_provider_may_rotate_its_keys(tmp_path: Path, provider: OidcProvider) -> None:
    with site(tmp_path / "home", provider) as at, at.browser() as one, at.browser() as two:
        assert follow(one).status_code == 303
        asked = provider.asked.count("/keys")
        with at.browser() as again:
            assert follow(again).status_code == 303
        assert provider.asked.count("/keys") == asked  # they are kept
        provider.rotate()
        clock = at._server.config.app.state.control.access.sso
        now = clock._now
        clock._now = lambda: now() + int(ASK_AGAIN_S * 1000) + 1
        assert follow(two).status_code == 303
        assert provider.asked.count("/keys") == asked + 1


async def client_of(provider: OidcProvider, clock: list[float]) -> AsyncIterator[OidcClient]:
    row = Provider(name="staff", issuer=provider.issuer, client_id=provider.client_id)
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        yield OidcClient(row, "http://127.0.0.1:1/back", http, lambda: clock[0])


async def test_tokens_with_unknown_keys_do_not_make_us_ask_again_and_again(
    provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.time()]
    async for client in client_of(provider, clock):
        await client.checked(provider.id_token("n"), "n")
        provider.lie = "unpublished key"
        clock[0] += ASK_AGAIN_S + 1
        for _ in range(5):
            with pytest.raises(Forbidden, match="no single signing key"):
                await client.checked(provider.id_token("n"), "n")
        assert provider.asked.count("/keys") == 2
        provider.lie, kid = "", provider.key.kid
        for odd in ("no key", None, {"kty": "EC", "kid": kid, "crv": "X", "x": "a", "y": "b"}):
            clock[0] += ASK_AGAIN_S + KEPT_S
            monkeypatch.setattr(provider.key, "public", lambda odd=odd: odd)
            with pytest.raises(Forbidden, match="key"):
                await client.checked(provider.id_token("n"), "n")


async def test_a_code_without_its_verifier_is_worth_nothing(provider: OidcProvider) -> None:
    async for client in client_of(provider, [time.time()]):
        address = await client.address(Errand("s" * 43, "n" * 43, "v" * 43))
        query = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        assert "v" * 43 not in address
        code = parse_qs(urlsplit(provider.authorize(query)).query)["code"][0]
        with pytest.raises(Forbidden):
            await client.claims(code, Errand("s" * 43, "n" * 43, "w" * 43))


def test_an_answer_that_another_browser_began_signs_nobody_in(
    tmp_path: Path, provider: OidcProvider
) -> None:
    with site(tmp_path / "home", provider) as at, at.browser() as thief, at.browser() as victim:
        leaving = thief.get("/api/v1/sign-in/staff")
        back = thief.get(leaving.headers["location"]).headers["location"]
        assert victim.get(back).status_code == 403  # the victim has begun nothing
        victim.get("/api/v1/sign-in/staff")
        refused = victim.get(back)  # the victim has begun something else
        assert refused.status_code == 403
        assert "did not begin in this browser" in refused.json()["error"]["message"]
        assert "stockpot_session" not in victim.cookies


def test_an_address_that_the_provider_may_not_vouch_for_makes_no_user(
    tmp_path: Path, provider: OidcProvider
) -> None:
    honest = dict(provider.user)
    with site(tmp_path / "home", provider) as at:
        for claims in (
            {"email": "eve@elsewhere.org"},
            {"email_verified": False},
            {"email_verified": "true"},
            {"email": "ana@example.org@elsewhere.org"},
            {"email": ""},
        ):
            provider.user = {**honest, **claims}
            with at.browser() as browser:
                assert follow(browser).status_code == 403, claims


def test_groups_give_a_role_and_teams_and_take_them_away(
    tmp_path: Path, provider: OidcProvider
) -> None:
    row = {"roles": {"llm-admins": "admin", "llm-devs": "editor"}, "teams": {"cooks": "kitchen"}}
    with site(tmp_path / "home", provider, row=row) as at, at.admin() as admin:

        def signs_in(*groups: str) -> tuple[str, list[str]]:
            provider.user["groups"] = list(groups)
            with at.browser() as browser:
                assert follow(browser).status_code == 303
                role = browser.get("/api/v1/session").json()["user"]["role"]
                return role, [team["name"] for team in browser.get("/api/v1/teams").json()]

        assert signs_in("llm-devs", "cooks") == ("editor", ["kitchen"])
        role, mine = signs_in("llm-admins", "llm-devs")
        assert (role, mine) == ("admin", ["kitchen"])  # an admin sees every team, also empty ones
        (team,) = admin.get("/api/v1/teams").json()
        assert team["members"] == []
        assert signs_in("cooks") == ("own", ["kitchen"])


def test_somebody_who_was_deactivated_stays_outside(tmp_path: Path, provider: OidcProvider) -> None:
    with site(tmp_path / "home", provider) as at, at.browser() as ana, at.admin() as admin:
        follow(ana)
        user = ana.get("/api/v1/session").json()["user"]["id"]
        admin.patch(f"/api/v1/users/{user}", json={"active": False})
        assert ana.get("/api/v1/session").status_code == 401
        refused = follow(ana)
        assert refused.status_code == 403
        assert "no access" in refused.json()["error"]["message"]


def test_passwords_can_be_switched_off(tmp_path: Path, provider: OidcProvider) -> None:
    with site(tmp_path / "home", provider, password_sign_in=False) as at, at.browser() as browser:
        assert browser.get("/api/v1/sign-in").json()["password"] is False
        wrong = {"email": "ana@example.org", "password": "correct horse battery"}
        assert browser.post("/api/v1/session", json=wrong).status_code == 403
        assert follow(browser).status_code == 303
        with at.admin() as admin:  # the command line's link still opens the door
            link = admin.post("/api/v1/session/links").json()["url"]
        assert link.startswith(f"{at.url}/sign-in#token=")
        token = {"token": link.partition("=")[2]}
        assert browser.post("/api/v1/session", json=token).status_code == 200


def test_several_providers_stand_side_by_side(tmp_path: Path, provider: OidcProvider) -> None:
    with serving() as guests:
        row = {"name": "guests", "issuer": guests.issuer, "client_id": guests.client_id,
               "client_secret": "env:NOT_SET_ANYWHERE", "domains": ["guest.org"]}  # fmt: skip
        with site(tmp_path / "home", provider, others=[row]) as at, at.browser() as browser:
            names = [p["name"] for p in browser.get("/api/v1/sign-in").json()["providers"]]
            assert names == ["staff", "guests"]
            assert follow(browser).status_code == 303
            refused = follow(browser, "/api/v1/sign-in/guests")
            assert refused.status_code == 503
            assert "NOT_SET_ANYWHERE" in refused.json()["error"]["message"]
            assert browser.get("/api/v1/sign-in/nobody").status_code == 404


def test_nobody_is_sent_elsewhere_after_signing_in(tmp_path: Path, provider: OidcProvider) -> None:
    elsewhere = (
        "//evil.example",
        "https://evil.example",
        "/\\evil",
        "/api/v1/keys",
        "x",
        "/a\r\nb",
    )
    with site(tmp_path / "home", provider) as at:
        for wanted in elsewhere:
            with at.browser() as browser:
                leaving = browser.get("/api/v1/sign-in/staff", params={"next": wanted})
                back = browser.get(leaving.headers["location"])
                arrived = browser.get(back.headers["location"])
                assert arrived.headers["location"] == "/overview", wanted


def test_a_provider_that_is_away_is_told(tmp_path: Path, provider: OidcProvider) -> None:
    row = {"issuer": "http://127.0.0.1:9"}
    with site(tmp_path / "home", provider, row=row) as at, at.browser() as browser:
        answer = browser.get("/api/v1/sign-in/staff")
        assert answer.status_code == 503
        assert "does not answer" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"name": "x", "issuer": "http://sso.example.org", "client_id": "c"}, "https"),
        ({"name": "x", "issuer": "https://sso.example.org"}, "client_id"),
        ({"name": "X Y", "issuer": "https://sso.example.org", "client_id": "c"}, "name"),
        ({"name": "x", "issuer": "https://a.org", "client_id": "c", "role": "boss"}, "role"),
        (
            {"name": "x", "issuer": "https://a.org", "client_id": "c", "client_secret": "plain"},
            "client_secret",
        ),
    ],
)
def test_a_wrong_row_is_named_with_its_fault(row: dict[str, Any], words: str) -> None:
    settings = config.load({"STOCKPOT_HOME": "/nowhere"}).replaced(oidc=Tables([row]))
    with pytest.raises(ConfigError, match=f"row 1: {words}|row 1.*{words}"):
        providers_of(settings)


def test_the_file_and_the_environment_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "stockpot.toml").write_text(
        '[settings]\n[[settings.oidc]]\nname = "staff"\nissuer = "https://sso.example.org"\n'
        'client_id = "c"\ndomains = ["example.org"]\n'
    )
    from_file = config.load({"STOCKPOT_HOME": str(tmp_path)})
    again = config.load({"STOCKPOT_HOME": "/nowhere", **from_file.environment()})
    assert providers_of(again) == providers_of(from_file)
    assert providers_of(from_file)["staff"].domains == ("example.org",)
    with pytest.raises(ConfigError, match="STOCKPOT_OIDC"):
        config.load({"STOCKPOT_HOME": "/nowhere", "STOCKPOT_OIDC": "{"})
