"""Secrets as vendors publish their forms, made with a fixed seed, and what only looks like one.

Every value is drawn at random, with the check characters that its vendor documents (the CRC-32 of
GitHub's and npm's tokens, the signature of a JSON web token): none opens anything. Written from the
vendors' documentation, not from the rail's own table. `examples` is what `bench/guardrails.py`
measures the rail `secrets` with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import string
import uuid
import zlib
from collections.abc import Callable, Iterator

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ALNUM = string.ascii_letters + string.digits
_URL = _ALNUM + "_-"
_HEX = "0123456789abcdef"
_AWS = string.ascii_uppercase + "234567"

_PARTS = {"a": _ALNUM, "u": _URL, "h": _HEX, "w": _AWS, "d": string.digits,
          "b": _ALNUM + "+/", "U": string.ascii_uppercase + string.digits}  # fmt: skip

PLAIN: dict[str, str] = {
    "anthropic": "sk-ant-api03-{u93}AA", "openai": "sk-proj-{u74}T3BlbkFJ{u74}",
    "openai, old": "sk-{a20}T3BlbkFJ{a20}", "openrouter": "sk-or-v1-{h64}",
    "stripe": "sk_live_{a24}", "stripe, restricted": "rk_live_{a99}", "stripe, hook": "whsec_{a32}",
    "aws, key id": "AKIA{w16}", "aws, session": "ASIA{w16}",
    "github, fine": "github_pat_{a22}_{a59}", "gitlab": "glpat-{u20}",
    "gitlab, runner": "glrt-{u20}",
    "slack, bot": "xoxb-{d12}-{d13}-{a24}", "slack, app": "xapp-1-A{U10}-{d13}-{h64}",
    "slack, hook": "https://hooks.slack.com/services/T{U8}/B{U10}/{a24}",
    "google, api": "AIza{u35}", "google, oauth": "ya29.{u120}", "google, client": "GOCSPX-{u28}",
    "hugging face": "hf_{a34}", "groq": "gsk_{a52}", "replicate": "r8_{a37}", "xai": "xai-{a80}",
    "perplexity": "pplx-{a48}", "langsmith": "lsv2_pt_{h32}_{h10}", "pinecone": "pcsk_{a5}_{a63}",
    "tavily": "tvly-dev-{a32}", "sendgrid": "SG.{u22}.{u43}", "twilio": "SK{h32}",
    "mailgun": "key-{h32}", "mailchimp": "{h32}-us12", "shopify": "shpat_{h32}",
    "square": "sq0atp-{u22}", "square, new": "EAAA{u60}", "digitalocean": "dop_v1_{h64}",
    "databricks": "dapi{h32}", "vault": "hvs.{u90}", "linear": "lin_api_{a40}",
    "notion": "ntn_{a46}", "notion, old": "secret_{a43}", "postman": "PMAK-{h24}-{h34}",
    "grafana": "glsa_{a32}_{h8}", "grafana, cloud": "glc_{b80}", "new relic": "NRAK-{U27}",
    "sentry": "sntrys_{b80}_{b43}", "atlassian": "ATATT3{u180}", "figma": "figd_{u40}",
    "supabase": "sbp_{h40}", "pypi": "pypi-AgEIcHlwaS5vcmc{u120}", "age": "AGE-SECRET-KEY-1{U58}",
    "telegram": "{d10}:AA{u33}", "discord": "MT{a22}.{u6}.{u38}", "docker": "dckr_pat_{u27}",
    "rubygems": "rubygems_{h48}", "pulumi": "pul-{h40}", "doppler": "dp.pt.{a43}",
    "planetscale": "pscale_tkn_{u43}", "terraform": "{a14}.atlasv1.{u67}",
    "airtable": "pat{a14}.{h64}", "azure, client": "{a3}8Q~{u34}",
    "azure, storage": "DefaultEndpointsProtocol=https;AccountName=sp;AccountKey={b86}==",
}  # fmt: skip
"""By vendor; `{h32}` is 32 random characters of the alphabet h."""

AROUND = ("here it is: {}", "`{}`", "it says that {} is not valid", "line one\n{}\nline three",
          'config = ["{}"]', "({})")  # fmt: skip
"""What stands around a secret; no word of it says that one comes."""


def _crc(head: str, body: str) -> str:
    """A token with its check: the CRC-32 of the random part in base 62, six characters."""
    number, check = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        check = _BASE62[digit] + check
    return f"{head}{body}{check.rjust(6, '0')}"


def _jwt(rng: random.Random) -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    said = {"sub": f"{rng.randrange(10**9)}", "iat": rng.randrange(1_600_000_000, 1_800_000_000)}
    head = json.dumps({"alg": "HS256", "typ": "JWT"}).encode()
    text = f"{part(head)}.{part(json.dumps(said).encode())}"
    return f"{text}.{part(hmac.digest(rng.randbytes(32), text.encode(), hashlib.sha256))}"


def _pem(rng: random.Random) -> str:
    body = base64.encodebytes(rng.randbytes(300)).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----"


def _password(rng: random.Random) -> str:
    word = _of(rng, "a", 14) + "7x"
    return rng.choice((f"postgres://app:{word}@db.internal/app", f"DB_PASSWORD={word}",
                       f'"client_secret": "{word}"'))  # fmt: skip


MADE: dict[str, Callable[[random.Random], str]] = {
    "github": lambda rng: _crc(rng.choice(("ghp_", "gho_", "ghs_", "ghu_")), _of(rng, "a", 30)),
    "npm": lambda rng: _crc("npm_", _of(rng, "a", 30)),
    "json web token": _jwt, "private key": _pem, "password": _password,
    "bearer": lambda rng: f"Authorization: Bearer {_of(rng, 'u', 40)}7",
}  # fmt: skip

HARMLESS: dict[str, Callable[[random.Random], str]] = {
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "commit": lambda rng: f"commit {_of(rng, 'h', 40)}",
    "digest": lambda rng: f"sha256:{_of(rng, 'h', 64)}",
    "image": lambda rng: f"data:image/png;base64,{base64.b64encode(rng.randbytes(60)).decode()}",
    "order": lambda rng: f"order {_of(rng, 'U', 3)}-{_of(rng, 'd', 9)}",
    "cursor": lambda rng: f"?after={base64.urlsafe_b64encode(rng.randbytes(24)).decode()}",
    "placeholder": lambda rng: rng.choice(("api_key=YOUR_API_KEY_HERE", "password: changeme",
                                           "token = <your token>", "OPENAI_API_KEY=sk-...")),
    "path": lambda rng: f"/srv/app/{_of(rng, 'h', 12)}/task_{_of(rng, 'd', 6)}.log",
    "word": lambda rng: rng.choice(("the key to a good stock is time", "a token of thanks",
                                    "disk-usage-of-the-month report", "skip the password step")),
}  # fmt: skip


def _of(rng: random.Random, kind: str, count: int) -> str:
    return "".join(rng.choices(_PARTS[kind], k=count))


def _filled(rng: random.Random, form: str) -> str:
    parts = string.Formatter().parse(form)
    return "".join(
        text + (_of(rng, told[0], int(told[1:])) if told else "") for text, told, _, _ in parts
    )


def examples(each: int = 20, seed: int = 7) -> Iterator[tuple[str, int, str]]:
    """Text, label (1 holds a secret) and kind: so many of each kind."""
    rng = random.Random(seed)  # noqa: S311
    for name, form in PLAIN.items():
        for _ in range(each):
            yield rng.choice(AROUND).format(_filled(rng, form)), 1, name
    for name, make in MADE.items():
        for _ in range(each):
            yield rng.choice(AROUND).replace("{}", make(rng)), 1, name
    for name, make in HARMLESS.items():
        for _ in range(5 * each):
            yield rng.choice(AROUND).replace("{}", make(rng)), 0, name
