"""Writing samples in Prometheus' text format 0.0.4. Knows names and types; knows no figures."""

from __future__ import annotations

from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PARTS = ("_bucket", "_count", "_sum")


def exposition(samples: Mapping[str, float]) -> str:
    """`name{labels}` to value, as text; each family once, in the order of its first sample."""
    histograms = {_name(key).removesuffix("_bucket") for key in samples if "_bucket{" in key}
    families: dict[str, list[str]] = {}
    for key, value in samples.items():
        family = _family(_name(key), histograms)
        families.setdefault(family, []).append(f"{key} {_number(value)}")
    lines: list[str] = []
    for family, rows in families.items():
        lines.append(f"# TYPE {family} {_type(family, histograms)}")
        lines += rows
    return "\n".join([*lines, ""])


def label(text: str) -> str:
    """A label's value, escaped and quoted."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _name(key: str) -> str:
    return key.partition("{")[0]


def _family(name: str, histograms: set[str]) -> str:
    for part in _PARTS:
        if name.endswith(part) and name.removesuffix(part) in histograms:
            return name.removesuffix(part)
    return name


def _type(family: str, histograms: set[str]) -> str:
    if family in histograms:
        return "histogram"
    return "counter" if family.endswith("_total") else "gauge"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
