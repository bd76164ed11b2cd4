"""Talking to the control plane's API. Knows HTTP, JSON and the error shape; knows no route.

with Client.open(settings, instance, fallback) as client:
    for key in client.get("/api/v1/keys"):
        print(key["name"])
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx

from stockpot.core.errors import ConfigError, InvalidInput, StockpotError, Unavailable
from stockpot.core.urls import trusted

if TYPE_CHECKING:
    from types import TracebackType

    from stockpot.core.config import Settings
    from stockpot.core.inprocess import ASGIApp
    from stockpot.core.instance import Instance


_IN_PROCESS = "http://stockpot.local"
_NOT_DATA = ("event:", "id:", "retry:", ":")  # the other fields of a server-sent event


class ClientError(StockpotError):
    """What the control plane answered instead of a result, with its own words and next step."""

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.answered = status
        self.answered_code = code


class Client:
    """A synchronous client of one control plane. Paths are absolute: `/api/v1/keys`."""

    def __init__(
        self,
        base_url: str,
        token: str = "",
        *,
        transport: httpx.BaseTransport | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.base_url,
            headers=headers,
            transport=transport,
            timeout=timeout_s,
            verify=trusted(base_url),
            trust_env=False,  # a proxy meant for vendors must not see the instance's own token
        )

    @classmethod
    def open(
        cls,
        settings: Settings,
        instance: Instance,
        fallback_app: Callable[[], ASGIApp] | None = None,
    ) -> Client:
        """The announced control plane, else `fallback_app` in this process. With an API token in
        STOCKPOT_TOKEN it is that of STOCKPOT_URL, perhaps on another host, and nothing of this
        instance's home is used."""
        if given := os.environ.get("STOCKPOT_TOKEN", ""):
            return cls(_told(settings, instance), given)
        token = instance.derive("cli")
        if settings.control_url:
            return cls(settings.control_url, token)
        if url := _announced(instance):
            return cls(url, token)
        if fallback_app is None:
            raise Unavailable("no control plane is running", hint="stockpot up")
        from stockpot.core.inprocess import InProcess

        return cls(_IN_PROCESS, token, transport=InProcess(fallback_app()))

    def demand_instance(self, waits: str) -> None:
        """Refuse to wait for what only a running instance does; `waits` says what waits, and why.
        Raises Unavailable where the application answers in this process."""
        if self.base_url == _IN_PROCESS:
            raise Unavailable(f"{waits}, and no instance runs", hint="stockpot up")

    def get(self, path: str, **params: Any) -> Any:
        return self._call("GET", path, None, params)

    def post(self, path: str, body: Any = None, **params: Any) -> Any:
        return self._call("POST", path, body, params)

    def put(self, path: str, body: Any = None, **params: Any) -> Any:
        return self._call("PUT", path, body, params)

    def patch(self, path: str, body: Any = None, **params: Any) -> Any:
        return self._call("PATCH", path, body, params)

    def delete(self, path: str, **params: Any) -> Any:
        return self._call("DELETE", path, None, params)

    def stream(
        self, path: str, *, method: str = "GET", body: Any = None, **params: Any
    ) -> Iterator[Any]:
        """Each value of a server-sent event stream or of JSON lines, as it arrives."""
        request = self._request(method, path, body, params)
        request.extensions["timeout"] = httpx.Timeout(60.0, read=None).as_dict()
        response = self._send(request, stream=True)
        try:
            if response.is_error:
                response.read()
                raise _error(response)
            for line in response.iter_lines():
                value = line.removeprefix("data:").strip()
                if value and value != "[DONE]" and not line.startswith(_NOT_DATA):
                    yield json.loads(value)
        finally:
            response.close()

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, method: str, path: str, body: Any, params: dict[str, Any]) -> Any:
        response = self._send(self._request(method, path, body, params))
        if response.is_error:
            raise _error(response)
        return response.json() if response.content else None

    def _request(self, method: str, path: str, body: Any, params: dict[str, Any]) -> httpx.Request:
        try:
            return self._http.build_request(method, path, params=_given(params), json=body)
        except ValueError:  # nan and inf, which are no JSON
            raise InvalidInput("a number that was given is not finite") from None

    def _send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        try:
            return self._http.send(request, stream=stream)
        except httpx.TransportError as lost:
            raise Unavailable(
                f"the control plane at {self.base_url} does not answer: {lost}",
                hint="stockpot doctor",
            ) from None


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _error(response: httpx.Response) -> ClientError:
    try:
        told = response.json()["error"]
        return ClientError(
            response.status_code, told["code"], told["message"], told.get("hint", "")
        )
    except (ValueError, KeyError, TypeError):
        text = response.text[:200] or response.reason_phrase
        return ClientError(response.status_code, "unexpected", f"{response.status_code}: {text}")


def _told(settings: Settings, instance: Instance) -> str:
    """The control plane that STOCKPOT_URL names, else the one that is known here."""
    url = os.environ.get("STOCKPOT_URL", "") or settings.control_url or _announced(instance)
    if not url:
        raise ConfigError(
            "STOCKPOT_TOKEN is set, and no control plane is known to show it to",
            hint="STOCKPOT_URL=https://HOST",
        )
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"STOCKPOT_URL is no address: {url!r}", hint="STOCKPOT_URL=https://HOST")
    return str(url)


def _announced(instance: Instance) -> str | None:
    """The URL of the instance's control plane, when its process lives and it answers."""
    facts = instance.announced("control") or {}
    url, pid = facts.get("url"), facts.get("pid")
    if not isinstance(url, str) or (isinstance(pid, int) and not _lives(pid)):
        return None
    try:
        httpx.get(f"{url}/healthz", timeout=2.0, verify=trusted(url), trust_env=False)
    except httpx.TransportError:
        return None
    return url


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
