"""Microsoft Presidio's analyzer as a rail, where it is installed. Loads it when it is first wanted.

Knows Presidio's recognisers and their entities. Without a language model of spaCy's (the setting
`spacy_model`) only recognisers that work by pattern, checksum and context are asked; names, places
and the like need the model, and asking for them without one is an error, not an empty answer.
Nothing is fetched: a model that is not installed is an error too, and the list of public suffixes
is the one that came with the package. Analysing takes milliseconds and loading takes seconds, both
hold the interpreter: it runs in the rail process, never in a worker.

Source: the presidio-analyzer package, 2.2; tested with 2.2.366 and spaCy 3.8.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from stockpot.core.errors import did_you_mean
from stockpot.rails.models import Finding, InvalidRule, Ran, Rule
from stockpot.rails.registry import Settings

SETTINGS = ("act_on", "entities", "language", "spacy_model")
LOOSE = frozenset({"AGE", "DATE_TIME", "ID", "LOCATION", "NRP", "ORGANIZATION", "PERSON"})
"""Entities without a checksum or a form of their own: harmless questions are full of dates and
places. A rule flags them, whatever its action, unless its setting `act_on` names them."""
INSTALL = "pip install 'stockpot[presidio]'"
LEAST = 0.4
"""The score from which a finding counts: Presidio's own for a pattern without context."""

_MODELS = {
    "en": "en_core_web_sm", "de": "de_core_news_sm", "es": "es_core_news_sm",
    "fr": "fr_core_news_sm", "it": "it_core_news_sm", "nl": "nl_core_news_sm",
    "pl": "pl_core_news_sm", "pt": "pt_core_news_sm",
}  # fmt: skip
"""spaCy's small model of a language."""


def absent() -> str:
    """Why Presidio cannot be asked here, '' where it can."""
    if importlib.util.find_spec("presidio_analyzer") is None:
        return f"presidio-analyzer is not installed ({INSTALL})"
    return ""


class PresidioRail:
    """Finds what Presidio's recognisers find. Raises InvalidRule where it cannot be asked."""

    kind = "presidio"
    reach = 0

    def __init__(self, rule: Rule) -> None:
        told = Settings(rule, SETTINGS)
        self._entities = told.texts("entities")
        self._acts_on = told.texts("act_on")
        for one in self._acts_on:
            if one not in LOOSE:
                raise InvalidRule(
                    f"act_on has {one!r}, which is not flagged alone."
                    f"{did_you_mean(one, sorted(LOOSE))}",
                    hint=f"act_on: {', '.join(sorted(LOOSE))}",
                )
        self._language = told.text("language", "en")
        self._model = told.text("spacy_model", "")
        self.threshold = LEAST if rule.threshold is None else rule.threshold

    @property
    def only_flagged(self) -> tuple[str, ...]:
        """Entities that the rule asks for by name and never acts on."""
        return tuple(sorted(LOOSE.intersection(self._entities).difference(self._acts_on)))

    @property
    def types(self) -> frozenset[str]:
        """The entities that it looks for."""
        return frozenset(self._entities) or self._loaded()[1]

    def ready(self) -> Any:
        """Presidio, loaded."""
        analyzer, known = self._loaded()
        for one in self._entities:
            if one not in known:
                raise _unknown(one, known, self._language, self._model)
        return analyzer

    def _loaded(self) -> tuple[Any, frozenset[str]]:
        if missing := absent():
            raise InvalidRule(missing)
        return _analyzer(self._language, self._model)

    def find(self, text: str) -> Sequence[Finding]:
        found = self.ready().analyze(
            text=text, language=self._language, entities=list(self._entities) or None,
            score_threshold=self.threshold,
        )  # fmt: skip
        told = LOOSE.difference(self._acts_on)
        made = (
            Finding(
                one.start, one.end, one.entity_type, float(one.score),
                flag_only=one.entity_type in told,
            )
            for one in found
        )  # fmt: skip
        return sorted(made, key=lambda one: (one.start, one.end))


def build_presidio(rule: Rule, models: Mapping[str, bytes]) -> PresidioRail:
    """Settings: `entities`, by Presidio's names (all without it); `language` (en); `spacy_model`,
    the name of an installed model, which names and places need; `act_on`, those of LOOSE that the
    rule's action is for, too."""
    return PresidioRail(rule)


def ask(rule: Rule, text: str) -> Ran:
    """What Presidio says of a text, measured without its loading; what it raises becomes part of
    what it said."""
    begun = time.thread_time_ns()
    try:
        rail = PresidioRail(rule)
        rail.ready()
        begun = time.thread_time_ns()
        found = tuple(rail.find(text))
    except Exception as fault:  # others' code: whatever it raises, the call goes on
        said = str(fault) if isinstance(fault, InvalidRule) else f"{type(fault).__name__}: {fault}"
        return Ran(rule.id, (), (time.thread_time_ns() - begun) / 1000, said[:300])
    return Ran(rule.id, found, (time.thread_time_ns() - begun) / 1000)


_FIRST = "Ann: ann@example.com, +1 212 555 0100, 4111 1111 1111 1111"
"""A text that makes recognisers load what they load with their first text."""


def load(rule: Rule) -> None:
    """Load what a rule needs, so that its first text does not wait. What is wrong, `ask` says."""
    ask(rule, _FIRST)


@cache
def _analyzer(language: str, spacy_model: str) -> tuple[Any, frozenset[str]]:
    """The analyzer, and the entities that it can find."""
    _stay_here()
    package = importlib.import_module("presidio_analyzer")
    engines = importlib.import_module("presidio_analyzer.nlp_engine")
    if spacy_model:
        nlp = _with_model(engines, language, spacy_model)
    else:
        nlp = _without_model(engines, language)
    registry = package.RecognizerRegistry(supported_languages=[language])
    registry.load_predefined_recognizers(languages=[language], nlp_engine=nlp)
    if not spacy_model:  # it would say that it finds names, and never find one
        registry.remove_recognizer("SpacyRecognizer")
    analyzer = package.AnalyzerEngine(
        registry=registry, nlp_engine=nlp, supported_languages=[language]
    )
    return analyzer, frozenset(analyzer.get_supported_entities(language))


def _stay_here() -> None:
    """Keep the recogniser of e-mail addresses from fetching the list of public suffixes, and
    Presidio's log from telling of every recogniser of another language."""
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    suffixes: Any = importlib.import_module("tldextract.tldextract")
    suffixes.TLD_EXTRACTOR = suffixes.TLDExtract(suffix_list_urls=(), cache_dir=None)


def _with_model(engines: Any, language: str, name: str) -> Any:
    spacy = importlib.import_module("spacy")
    if not (spacy.util.is_package(name) or Path(name).exists()):  # Presidio would download it
        raise InvalidRule(
            f"the spaCy model {name!r} is not installed",
            hint=f"python -m spacy download {name}",
        )
    own = files("presidio_analyzer").joinpath("conf/spacy.yaml").read_text("utf-8")
    conf = yaml.safe_load(own)  # which of a model's labels are worth having
    conf["models"] = [{"lang_code": language, "model_name": name}]
    return engines.NlpEngineProvider(nlp_configuration=conf).create_engine()


def _without_model(engines: Any, language: str) -> Any:
    """spaCy's rules for words of a language, which need no download and recognise no names."""
    spacy = importlib.import_module("spacy")
    blank = engines.SpacyNlpEngine(models=[{"lang_code": language, "model_name": "blank"}])
    try:
        words = spacy.blank(language)
    except ImportError:
        raise InvalidRule(
            f"spaCy knows no language {language!r}",
            hint="the setting language is a code such as en",
        ) from None
    spacy.Language.component("as_it_stands", func=_as_it_stands)
    words.add_pipe("as_it_stands")
    blank.nlp = {language: words}
    return blank


def _as_it_stands(doc: Any) -> Any:
    """Each word is its own lemma, by which Presidio knows the words around a finding."""
    for token in doc:
        token.lemma_ = token.text
    return doc


_BY_MODEL = frozenset({"PERSON", "LOCATION", "NRP", "ORGANIZATION"})


def _unknown(entity: str, known: frozenset[str], language: str, model: str) -> InvalidRule:
    if entity in _BY_MODEL and not model:
        name = _MODELS.get(language, f"{language}_core_news_sm")
        return InvalidRule(
            f"Presidio finds {entity} by a language model alone, and the rule names none",
            hint=f"python -m spacy download {name}, then the setting spacy_model = {name!r}",
        )
    return InvalidRule(
        f"Presidio has no recogniser of {entity!r} for {language!r}."
        f"{did_you_mean(entity, sorted(known))}",
        hint=f"entities: {', '.join(sorted(known))}",
    )
