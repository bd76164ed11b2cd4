"""Microsoft Presidio's analyzer as a rail, where it is installed. Loads it on first use.

Knows Presidio's recognisers and their entities. Without a language model of spaCy's (the setting
`spacy_model`) only recognisers that work by pattern, checksum and context are asked: names and
places need the model. Analysing takes milliseconds and holds the interpreter, so that it runs in
the rail process, never in a worker.

Source: the presidio-analyzer package, 2.2.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from functools import cache
from typing import Any

from stockpot.rails.models import Finding, Ran, Rule

SETTINGS = ("entities", "language", "spacy_model", "model")


def absent() -> str:
    """Why Presidio cannot be asked here, '' where it can."""
    if importlib.util.find_spec("presidio_analyzer") is None:
        return "presidio-analyzer is not installed (pip install presidio-analyzer)"
    return ""


def ask(rule: Rule, text: str) -> Ran:
    """What Presidio says of a text, measured; what it raises becomes part of what it said."""
    begun = time.thread_time_ns()
    try:
        found = _find(rule, text)
    except Exception as fault:  # others' code: whatever it raises, the call goes on
        said = absent() or f"{type(fault).__name__}: {fault}"
        return Ran(rule.id, (), (time.thread_time_ns() - begun) / 1000, said[:200])
    return Ran(rule.id, found, (time.thread_time_ns() - begun) / 1000)


def _find(rule: Rule, text: str) -> tuple[Finding, ...]:
    settings = rule.settings
    language = str(settings.get("language", "en"))
    analyzer = _analyzer(language, str(settings.get("spacy_model", "")))
    entities = list(settings.get("entities") or ()) or None
    least = rule.threshold if rule.threshold is not None else 0.4
    found = analyzer.analyze(text=text, language=language, entities=entities, score_threshold=least)
    return tuple(
        sorted(
            (Finding(one.start, one.end, one.entity_type, float(one.score)) for one in found),
            key=lambda one: (one.start, one.end),
        )
    )


@cache
def _analyzer(language: str, spacy_model: str) -> Any:
    package = importlib.import_module("presidio_analyzer")
    engines = importlib.import_module("presidio_analyzer.nlp_engine")
    if spacy_model:
        models = [{"lang_code": language, "model_name": spacy_model}]
        conf = {"nlp_engine_name": "spacy", "models": models}
        nlp = engines.NlpEngineProvider(nlp_configuration=conf).create_engine()
    else:
        nlp = _without_model(engines, language)
    registry = package.RecognizerRegistry(supported_languages=[language])
    registry.load_predefined_recognizers(languages=[language], nlp_engine=nlp)
    return package.AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=[language])


def _without_model(engines: Any, language: str) -> Any:
    """spaCy's rules for words of a language, which need no download and recognise no names."""
    spacy = importlib.import_module("spacy")
    blank = engines.SpacyNlpEngine(models=[{"lang_code": language, "model_name": "blank"}])
    blank.nlp = {language: spacy.blank(language)}
    return blank
