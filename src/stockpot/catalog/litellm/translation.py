"""A whole `config.yaml` as definitions. Knows the tables of the file; the parts know their keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from stockpot.catalog.litellm import findings as reasons
from stockpot.catalog.litellm.findings import Finding, Findings
from stockpot.catalog.litellm.providers import ENVIRON, VARIABLE, Providers
from stockpot.catalog.litellm.routes import ALIAS, Deployment, aliases_of, number, routing_of
from stockpot.core.errors import InvalidInput

_PARAMS = {
    "model", "api_key", "api_base", "base_url", "custom_llm_provider", "rpm", "tpm", "weight",
    "order", "timeout", "stream_timeout", "tags", "litellm_credential_name",
    "aws_region_name", "aws_access_key_id", "aws_secret_access_key", "aws_session_token",
    "aws_bearer_token_bedrock", "vertex_project", "vertex_location", "vertex_credentials",
}  # fmt: skip
_ROUTER = {
    "routing_strategy", "model_group_alias", "num_retries", "timeout", "stream_timeout",
    "fallbacks", "default_fallbacks", "retry_policy", "enable_tag_filtering",
}  # fmt: skip
_LITELLM = {
    "num_retries", "request_timeout", "fallbacks", "default_fallbacks", "max_budget",
    "budget_duration",
}  # fmt: skip
_GENERAL = {"master_key", "global_max_parallel_requests"}
_TOP = {
    "model_list", "router_settings", "litellm_settings", "general_settings", "credential_list",
}  # fmt: skip
_KINDS = {"chat": "chat", "completion": "chat", "responses": "chat", "embedding": "embedding"}
_PERIODS = {
    "1d": "day", "24h": "day", "daily": "day", "7d": "week", "1w": "week", "weekly": "week",
    "30d": "month", "1mo": "month", "31d": "month", "monthly": "month",
}  # fmt: skip

Definitions = dict[str, dict[str, dict[str, Any]]]


class Imported(NamedTuple):
    """Definitions as a file says them, what was mapped with a remark, what was not and why."""

    definitions: Definitions
    remarks: tuple[Finding, ...]
    unmapped: tuple[Finding, ...]


def translated(text: str, environ: Mapping[str, str] = os.environ) -> Imported:
    """Read a file's text. Addresses that it takes from variables are looked up in `environ`; the
    secrets that it names so become references and are not looked up."""
    config = _parsed(text)
    findings = Findings()
    findings.rest(config, "", _TOP, reasons.TOP)
    router = _table(config, "router_settings")
    litellm = _table(config, "litellm_settings")
    general = _table(config, "general_settings")
    findings.rest(router, "router_settings", _ROUTER, reasons.ROUTER)
    findings.rest(litellm, "litellm_settings", _LITELLM, reasons.LITELLM)
    findings.rest(general, "general_settings", _GENERAL, reasons.GENERAL)
    providers = Providers(findings, environ)
    deployments = _deployments(config, providers, findings)
    aliases = aliases_of(deployments, routing_of(router, litellm, findings), findings)
    _other_names(router, aliases, findings)
    made: Definitions = {
        "providers": providers.made,
        "aliases": aliases,
        "projects": _project(litellm, general, findings),
        "keys": _keys(general, findings),
    }
    found = {section: entries for section, entries in made.items() if entries}
    return Imported(found, tuple(findings.remarks), tuple(findings.unmapped))


def _parsed(text: str) -> Mapping[str, Any]:
    import yaml

    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as bad:
        raise InvalidInput(f"this is not YAML: {' '.join(str(bad).split())}") from None
    if not isinstance(config, Mapping):
        raise InvalidInput("a LiteLLM configuration is a table with model_list and settings")
    return config


def _table(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name) or {}
    if not isinstance(found, Mapping):
        raise InvalidInput(f"{name} is a table, not {type(found).__name__}")
    return found


def _deployments(
    config: Mapping[str, Any], providers: Providers, findings: Findings
) -> list[Deployment]:
    rows = config.get("model_list") or []
    if not isinstance(rows, list):
        raise InvalidInput("model_list is a list")
    credentials = _credentials(config, findings)
    made = (_deployment(row, f"model_list[{n}]", credentials, providers, findings)
            for n, row in enumerate(rows))  # fmt: skip
    return [deployment for deployment in made if deployment is not None]


def _credentials(config: Mapping[str, Any], findings: Findings) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    rows = config.get("credential_list") or []
    if not isinstance(rows, list):
        findings.lost("credential_list", "it is no list")
        rows = []
    for n, row in enumerate(rows):
        if isinstance(row, Mapping) and isinstance(row.get("credential_values"), Mapping):
            found[str(row.get("credential_name"))] = row["credential_values"]
        else:
            findings.lost(f"credential_list[{n}]", "it has no credential_values")
    return found


def _deployment(
    row: Any,
    path: str,
    credentials: Mapping[str, Mapping[str, Any]],
    providers: Providers,
    findings: Findings,
) -> Deployment | None:
    if not isinstance(row, Mapping) or not isinstance(row.get("litellm_params"), Mapping):
        findings.lost(path, "an entry has a model_name and litellm_params")
        return None
    params, where = dict(row["litellm_params"]), f"{path}.litellm_params"
    named = str(params.get("litellm_credential_name") or "")
    if named and named not in credentials:
        findings.lost(f"{where}.litellm_credential_name", f"no credential {named!r}")
    params = {**credentials.get(named, {}), **params}
    info = findings.table(row.get("model_info"), f"{path}.model_info")
    findings.rest(row, path, ("model_name", "litellm_params", "model_info"), {})
    findings.rest(params, where, _PARAMS, reasons.MODEL)
    findings.rest(info, f"{path}.model_info", ("mode",), reasons.INFO)
    group, model = str(row.get("model_name") or ""), str(params.get("model") or "")
    mode = str(info.get("mode") or ("embedding" if "embed" in model.lower() else "chat"))
    if mode not in _KINDS:
        told = "only chat and embedding models have aliases; ask for it as PROVIDER/MODEL"
        findings.lost(f"{path}.model_info.mode", f"{mode!r}: {told}")
        providers.place(params, where)
        return None
    place = providers.place(params, where)
    if place is None:
        return None
    if "*" in group or "*" in model:
        _wildcard(group, place.provider, path, findings)
        return None
    if not ALIAS.fullmatch(group):
        findings.lost(f"{path}.model_name", f"{group!r} can be no name of an alias")
        return None
    return Deployment(group, place, params, _KINDS[mode], where)


def _wildcard(group: str, provider: str, path: str, findings: Findings) -> None:
    told = f"every model that {provider!r} lists answers to {provider}/MODEL"
    if group == f"{provider}/*":
        findings.remark(f"{path}.model_name", told)
    elif group == "*":
        findings.remark(f"{path}.model_name", f"{told}, and to MODEL where nobody else has it")
    else:
        findings.lost(f"{path}.model_name", f"{group!r} is a pattern; {told}")


def _other_names(
    router: Mapping[str, Any], aliases: dict[str, dict[str, Any]], findings: Findings
) -> None:
    others = findings.table(router.get("model_group_alias"), "router_settings.model_group_alias")
    for name, of in others.items():
        path = f"router_settings.model_group_alias.{name}"
        if isinstance(of, Mapping):
            if of.get("hidden"):
                findings.remark(path, "aliases are listed for every key that may use them")
            of = of.get("model")
        if not ALIAS.fullmatch(str(name)):
            findings.lost(path, f"{name!r} can be no name of an alias")
        elif isinstance(of, str) and of in aliases:
            aliases[str(name)] = dict(aliases[of])
        else:
            findings.lost(path, f"the group {of!r} has no deployment here")


def _project(
    litellm: Mapping[str, Any], general: Mapping[str, Any], findings: Findings
) -> dict[str, dict[str, Any]]:
    """What holds for the whole proxy holds for the first project here."""
    made: dict[str, Any] = {}
    if (usd := number(litellm.get("max_budget"))) is not None and usd > 0:
        lasts = str(litellm.get("budget_duration") or "")
        period = _PERIODS.get(lasts, "total" if not lasts else "")
        if period:
            made["budget"] = {"usd": usd, "period": period}
        else:
            told = f"periods are day, week, month and total, not {lasts!r}"
            findings.lost("litellm_settings.budget_duration", told)
            findings.lost("litellm_settings.max_budget", "its period cannot be mapped")
    at_once = number(general.get("global_max_parallel_requests"))
    if at_once is not None and at_once >= 0:
        made["limits"] = {"concurrency": int(at_once)}
    return {"default": made} if made else {}


def _keys(general: Mapping[str, Any], findings: Findings) -> dict[str, dict[str, Any]]:
    """The one key that the file knows; all others are in LiteLLM's database."""
    given = str(general.get("master_key") or "")
    if not given:
        return {}
    variable = given.removeprefix(ENVIRON) if given.startswith(ENVIRON) else "LITELLM_MASTER_KEY"
    path = "general_settings.master_key"
    if not given.startswith(ENVIRON):
        told = f"a secret stands in the file; put it into the variable {variable} instead"
        findings.remark(path, told)
    elif not VARIABLE.fullmatch(variable):
        findings.lost(path, f"{variable!r} is no name of a variable")
        return {}
    findings.remark(path, "a virtual key that may call models; it opens no API and no console")
    return {"master": {"secret": f"env:{variable}"}}
