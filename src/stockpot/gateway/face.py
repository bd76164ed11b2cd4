"""The data plane's paths: which request is which call. Knows paths and methods; knows no upstream.

Dialect endpoints go through the pipeline; the model list, health and readiness are answered here.
"""

from __future__ import annotations

from time import gmtime, strftime
from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec

from stockpot.gateway import answers, otlp, stages
from stockpot.gateway.admission import Admission
from stockpot.gateway.call import Call, Reply
from stockpot.gateway.model_list import listed
from stockpot.gateway.pipeline import Pipeline
from stockpot.gateway.renewal import ends_of
from stockpot.providers import Dialect, Endpoint, dialects

if TYPE_CHECKING:
    from stockpot.gateway.account import Accountant
    from stockpot.gateway.attempts import Upstreams
    from stockpot.gateway.cache import AnswerCache
    from stockpot.gateway.http.messages import Exchange, Headers, Request
    from stockpot.gateway.rates import RateDesk
    from stockpot.gateway.snapshot import View
    from stockpot.gateway.spool import Spool

_OPENAI = dialects()[0]
_ANTHROPIC = next(dialect for dialect in dialects() if dialect.name == "anthropic")
_GEMINI = next(dialect for dialect in dialects() if dialect.name == "gemini")
_CALLS: dict[bytes, tuple[Dialect, Endpoint]] = {
    path: (dialect, endpoint) for dialect in dialects() for path, endpoint in dialect.paths.items()
}
_BELOW = tuple((dialect.below, dialect) for dialect in dialects() if dialect.below)
_JSON: Headers = [(b"content-type", b"application/json")]
_MODELS = b"/v1/models"
_GEMINI_MODELS = b"/v1beta/models"


class Gateway:
    """The handler behind the HTTP server of a worker. `view` is swapped by the control link."""

    def __init__(
        self,
        spool: Spool,
        accountant: Accountant,
        upstreams: Upstreams,
        desk: RateDesk | None = None,
        cache: AnswerCache | None = None,
        slots: RateDesk | None = None,
        most_waiting: int = otlp.MOST_WAITING,
    ) -> None:
        self.view: View | None = None
        self.draining = False
        self._accountant = accountant
        self._intake = otlp.Intake(spool, most_waiting)
        self.pipeline = Pipeline(
            (
                stages.authenticate,
                stages.read,
                Admission(spool, desk, slots),
                stages.guard,
                *((cache,) if cache is not None else ()),
                stages.choose,
            ),
            handler=upstreams,
            refuse=self._refuse,
        )

    def handle(self, request: Request, exchange: Exchange) -> Call | None:
        """Start the call that a request asks for; see `http.messages.Handler`."""
        known = _CALLS.get(request.path) or _below(request.path)
        if known is None:
            self._other(request, exchange)
            return None
        if request.method != b"POST":
            allow = (b"allow", b"POST")
            self._error(exchange, 405, "use POST", "method_not_allowed", allow, dialect=known[0])
            return None
        view = self.view
        if view is None:
            message = "the gateway has no configuration yet; is the control plane starting?"
            later = (b"retry-after", b"1")
            self._error(exchange, 503, message, "not_ready", later, dialect=known[0])
            return None
        call = Call(request, exchange, view, known[0], known[1])
        self.pipeline.run(call)
        return call

    def _refuse(self, call: Call, reply: Reply) -> None:
        call.answered = True
        status, headers, body = answers.refusal(call, reply)
        exchange = call.exchange
        self._accountant.refused(call, reply, lambda: exchange.respond(status, headers, body))
        call.guard = None  # which knows the call: a circle less

    def _error(
        self,
        exchange: Exchange,
        status: int,
        message: str,
        code: str,
        *more: tuple[bytes, bytes],
        dialect: Dialect = _OPENAI,
    ) -> None:
        body = dialect.error(status, message, code)
        exchange.respond(status, [*_JSON, *more], body)

    def _other(self, request: Request, exchange: Exchange) -> None:
        path = request.path
        if path in (b"/readyz", b"/healthz", b"/"):
            self._health(path, exchange)
        elif path == _MODELS or path.startswith(_MODELS + b"/"):
            self._models(request, exchange, _MODELS)
        elif path == _GEMINI_MODELS or path.startswith(_GEMINI_MODELS + b"/"):
            self._models(request, exchange, _GEMINI_MODELS)
        elif path == otlp.PATH:
            self._spans(request, exchange)
        else:
            shown = path.decode("latin-1")
            below = (prefix + b"MODEL:..." for prefix, _ in _BELOW)
            known = ", ".join(sorted(known.decode() for known in (*_CALLS, _MODELS, *below)))
            message = f"nothing is served at {shown!r}; there are {known}"
            self._error(exchange, 404, message, "unknown_path")

    def _health(self, path: bytes, exchange: Exchange) -> None:
        ready = self.view is not None and not self.draining
        status = 200 if ready or path != b"/readyz" else 503
        body: dict[str, object] = {
            "ready": ready,
            "draining": self.draining,
            "revision": self.view.revision if self.view else None,
        }
        if self.view is not None and (ends := ends_of(self.view)) is not None:
            body["credentials_end"] = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(ends))
        exchange.respond(status, _JSON, msgspec.json.encode(body))

    def _models(self, request: Request, exchange: Exchange, root: bytes) -> None:
        view = self.view
        if view is None:
            return self._error(exchange, 503, "the gateway has no configuration yet", "not_ready")
        dialect = _dialect_of(request, root)
        call = Call(request, exchange, view, dialect, "chat")
        reply = stages.authenticate(call)
        if isinstance(reply, Reply):
            return self._refuse(call, reply)
        assert call.key is not None
        allowed = call.key.models
        names = [name for name in view.routes if not allowed or name in allowed]
        wanted = unquote(request.path[len(root) + 1 :].decode("utf-8", "replace"))
        body = listed(view, names, wanted, dialect.name)
        if body is None:
            message, code = f"no model {wanted!r}", "model_not_found"
            return self._error(exchange, 404, message, code, dialect=dialect)
        return exchange.respond(200, _JSON, msgspec.json.encode(body))

    def _spans(self, request: Request, exchange: Exchange) -> None:
        """Spans that an application sends: with a key, straight into the spool."""
        if request.method != b"POST":
            allow = (b"allow", b"POST")
            return self._error(exchange, 405, "use POST", "method_not_allowed", allow)
        if self.view is None:
            later = (b"retry-after", b"1")
            return self._error(exchange, 503, "no configuration yet", "not_ready", later)
        call = Call(request, exchange, self.view, _OPENAI, "chat")
        reply = stages.authenticate(call)
        if isinstance(reply, Reply):
            return self._error(exchange, reply.status, reply.message, reply.code)
        assert call.key is not None
        return self._intake.take(call, call.key.spec)


def _dialect_of(request: Request, root: bytes) -> Dialect:
    """Who asks for the list of models; two of the SDKs ask at the same path."""
    if root == _GEMINI_MODELS or request.header(b"x-goog-api-key") is not None:
        return _GEMINI
    return _ANTHROPIC if request.header(b"anthropic-version") is not None else _OPENAI


def _below(path: bytes) -> tuple[Dialect, Endpoint] | None:
    for prefix, dialect in _BELOW:
        if path.startswith(prefix) and (endpoint := dialect.endpoint(path)) is not None:
            return dialect, endpoint
    return None
