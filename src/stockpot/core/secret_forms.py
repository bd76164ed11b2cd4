"""The forms that vendors give their keys. Knows text alone, not who looks for them or why.

Two do: rails, which find secrets in what is said, and masking, which keeps them out of payloads.
"""

from __future__ import annotations

import re

_W = r"[A-Za-z0-9_-]"
VENDORS: tuple[tuple[str, str, str], ...] = (
    ("ANTHROPIC_KEY", "sk-ant-", rf"{_W}{{16,200}}"),
    ("OPENAI_KEY", "sk-proj-", rf"{_W}{{16,300}}"),
    ("API_KEY", "sk-", rf"{_W}{{16,300}}"),
    ("API_KEY", "rk-", rf"{_W}{{20,200}}"),
    ("API_KEY", "pk-lf-", rf"{_W}{{16,200}}"),
    ("STRIPE_KEY", "sk_", r"(?:live|test)_[A-Za-z0-9]{16,200}"),
    ("STRIPE_KEY", "rk_", r"(?:live|test)_[A-Za-z0-9]{16,200}"),
    ("STRIPE_KEY", "whsec_", r"[A-Za-z0-9+/=]{24,100}"),
    ("AWS_KEY_ID", "AKIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("AWS_KEY_ID", "ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("GITHUB_TOKEN", "ghp_", r"[A-Za-z0-9]{20,255}"),
    ("GITHUB_TOKEN", "gho_", r"[A-Za-z0-9]{20,255}"),
    ("GITHUB_TOKEN", "ghs_", r"[A-Za-z0-9]{20,255}"),
    ("GITHUB_TOKEN", "ghu_", r"[A-Za-z0-9]{20,255}"),
    ("GITHUB_TOKEN", "ghr_", r"[A-Za-z0-9]{20,255}"),
    ("GITHUB_TOKEN", "github_pat_", r"[A-Za-z0-9_]{20,255}"),
    ("GITLAB_TOKEN", "glpat-", rf"{_W}{{16,100}}"),
    ("GITLAB_TOKEN", "gl", rf"(?:dt|rt|cbt|ptt|ft|imt|agent|soat|oas)-{_W}{{20,100}}"),
    ("SLACK_TOKEN", "xox", r"[abeoprs]-[A-Za-z0-9-]{10,200}"),
    ("SLACK_TOKEN", "xapp-", r"[0-9]-[A-Za-z0-9-]{10,200}"),
    ("SLACK_WEBHOOK", "hooks.slack.com/services/", r"[A-Za-z0-9/]{20,100}"),
    ("GOOGLE_KEY", "AIza", rf"{_W}{{35}}(?!{_W})"),
    ("GOOGLE_TOKEN", "ya29.", rf"{_W}{{20,300}}"),
    ("GOOGLE_SECRET", "GOCSPX-", rf"{_W}{{20,60}}"),
    ("HUGGING_FACE_TOKEN", "hf_", r"[A-Za-z0-9]{30,60}"),
    ("GROQ_KEY", "gsk_", r"[A-Za-z0-9]{40,80}"),
    ("REPLICATE_KEY", "r8_", r"[A-Za-z0-9]{30,60}"),
    ("PERPLEXITY_KEY", "pplx-", r"[A-Za-z0-9]{40,80}"),
    ("XAI_KEY", "xai-", r"[A-Za-z0-9]{60,100}"),
    ("NPM_TOKEN", "npm_", r"[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    ("NPM_TOKEN", ":_authToken=", r" ?[^\s$\"'<{]{4,200}"),
    ("NPM_TOKEN", ":_auth=", r" ?[^\s$\"'<{]{4,200}"),
    ("PRIVATE_KEY", "PuTTY-User-Key-File-", r"[0-9]"),
    ("PYPI_TOKEN", "pypi-AgE", rf"{_W}{{40,300}}"),
    ("SENDGRID_KEY", "SG.", rf"{_W}{{16,32}}\.{_W}{{32,64}}"),
    ("TWILIO_KEY", "SK", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("MAILGUN_KEY", "key-", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("SHOPIFY_TOKEN", "shp", r"(?:at|ca|pa|ss)_[0-9a-fA-F]{32}(?![A-Za-z0-9])"),
    ("SQUARE_TOKEN", "sq0", rf"(?:atp|csp|idp)-{_W}{{22,60}}"),
    ("DIGITALOCEAN_TOKEN", "do", r"[opr]_v1_[0-9a-f]{64}(?![A-Za-z0-9])"),
    ("DATABRICKS_TOKEN", "dapi", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("VAULT_TOKEN", "hvs.", rf"{_W}{{24,200}}"),
    ("LINEAR_KEY", "lin_api_", r"[A-Za-z0-9]{32,60}"),
    ("NOTION_TOKEN", "ntn_", r"[A-Za-z0-9]{40,60}"),
    ("POSTMAN_KEY", "PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),
    ("GRAFANA_TOKEN", "glsa_", r"[A-Za-z0-9]{32}_[0-9a-f]{8}"),
    ("NEW_RELIC_KEY", "NRAK-", r"[A-Z0-9]{27}"),
    ("SENTRY_TOKEN", "sntry", r"[su]_[A-Za-z0-9+/=_-]{40,300}"),
    ("ATLASSIAN_TOKEN", "ATATT3", r"[A-Za-z0-9_=-]{40,300}"),
    ("FIGMA_TOKEN", "figd_", rf"{_W}{{30,60}}"),
    ("SUPABASE_TOKEN", "sbp_", r"[0-9a-f]{40}"),
    ("DOCKER_TOKEN", "dckr_pat_", rf"{_W}{{20,60}}"),
    ("DOPPLER_TOKEN", "dp.", r"(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,100}"),
    ("GRAFANA_TOKEN", "glc_", r"[A-Za-z0-9+/]{32,400}={0,2}"),
    ("LANGSMITH_KEY", "lsv2_", r"(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}(?![A-Za-z0-9])"),
    ("NOTION_TOKEN", "secret_", r"[A-Za-z0-9]{43}(?![A-Za-z0-9])"),
    ("PINECONE_KEY", "pcsk_", r"[A-Za-z0-9]{4,6}_[A-Za-z0-9]{50,80}"),
    ("PLANETSCALE_TOKEN", "pscale_", rf"(?:tkn|pw|oauth)_{_W}{{32,64}}"),
    ("PULUMI_TOKEN", "pul-", r"[0-9a-f]{40}(?![A-Za-z0-9])"),
    ("RUBYGEMS_KEY", "rubygems_", r"[0-9a-f]{48}(?![A-Za-z0-9])"),
    ("SQUARE_TOKEN", "EAAA", rf"{_W}{{60}}(?!{_W})"),
    ("TAVILY_KEY", "tvly-", r"(?:dev-|prod-)?[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    ("AIRTABLE_TOKEN", "pat", r"[A-Za-z0-9]{14}\.[0-9a-f]{64}(?![A-Za-z0-9])"),
    ("AGE_KEY", "AGE-SECRET-KEY-1", r"[A-Z0-9]{50,60}"),
    ("AZURE_KEY", "AccountKey=", r"[A-Za-z0-9+/]{40,100}={0,2}"),
    ("TELEGRAM_TOKEN", ":AA", rf"{_W}{{33}}(?!{_W})"),
)  # fmt: skip
"""Type, how the key begins, what follows: as vendors document it or their scanners look for it."""

AROUND: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("MAILCHIMP_KEY", "-us", re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32}-us[0-9]{1,2}(?![0-9a-z])")),
    ("TERRAFORM_TOKEN", ".atlasv1.", re.compile(
        rf"(?<![0-9A-Za-z])[A-Za-z0-9]{{14}}\.atlasv1\.{_W}{{60,70}}(?!{_W})", re.ASCII)),
    ("AZURE_SECRET", "Q~", re.compile(
        r"(?<![\w~.-])[\w~.-]{3}[0-9]Q~[\w~.-]{31,34}(?![\w~-])", re.ASCII)),
    ("DISCORD_TOKEN", ".", re.compile(
        rf"(?<!{_W})[MNO][A-Za-z0-9_-]{{23,25}}\.{_W}{{6}}\.{_W}{{27,38}}(?!{_W})", re.ASCII)),
)  # fmt: skip
"""Keys that are known by a sign in their midst."""

_WORDS = bytes(32 if code in b" \t\r\n\v\f" else 97 for code in range(256))


def long_words(text: str, size: int) -> list[str]:
    """The words of at least so many characters, in order."""
    data = text.encode("utf-8", "surrogatepass")
    shape, least = data.translate(_WORDS), b"a" * size
    found: list[str] = []
    at = shape.find(least)
    while at >= 0:
        end = shape.find(b" ", at)
        end = len(data) if end < 0 else end
        found += data[shape.rfind(b" ", 0, at) + 1 : end].decode("utf-8", "surrogatepass").split()
        at = shape.find(least, end)
    return [word for word in found if len(word) >= size]
