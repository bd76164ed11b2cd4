"""Jinja templates in a sandbox. Knows Jinja; knows no prompt.

A template sees JSON values, a list of filters and of methods, and nothing else: no attribute of an
object, no import, no global. What it may come to is bounded: its text, the turns of its loops and
calls, the size of each value. Values stand in the text as JSON where they are no text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from itertools import chain
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError, TemplateNotFound, UndefinedError
from jinja2.filters import FILTERS as DEFAULT_FILTERS
from jinja2.loaders import FunctionLoader
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from stockpot.templates.models import Partial, TemplateFault
from stockpot.templates.values import MOST_STEPS, MOST_TEXT, bounded, text_of, too_large

FILTERS = (
    "abs", "batch", "capitalize", "count", "d", "default", "dictsort", "first", "float", "groupby",
    "indent", "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min",
    "reject", "rejectattr", "replace", "reverse", "round", "select", "selectattr", "slice", "sort",
    "string", "sum", "title", "trim", "truncate", "unique", "upper", "wordcount", "wordwrap",
)  # fmt: skip
TESTS = (
    "boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "float", "ge", "gt",
    "in", "integer", "iterable", "le", "lower", "lt", "mapping", "ne", "none", "number", "odd",
    "sequence", "string", "true", "undefined", "upper", "==", "!=", "<", "<=", ">", ">=",
)  # fmt: skip
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset((
        "capitalize", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit",
        "islower", "isspace", "isupper", "lower", "lstrip", "partition", "removeprefix",
        "removesuffix", "rfind", "rpartition", "rsplit", "rstrip", "split", "splitlines",
        "startswith", "strip", "swapcase", "title", "upper",
    )),
    list: frozenset(("count", "index")),
    tuple: frozenset(("count", "index")),
    dict: frozenset(("get", "items", "keys", "values")),
}  # fmt: skip
_LOOP = frozenset((
    "changed", "cycle", "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem",
    "previtem", "revindex", "revindex0",
))  # fmt: skip
_BANNED = (nodes.Import, nodes.FromImport, nodes.Extends)
_MOST_RANGE = 10_000

_steps: ContextVar[list[int]] = ContextVar("steps")


class Undefinedness(StrictUndefined):
    """A variable that is not there: an error as soon as it is used."""


def _step() -> None:
    left = _steps.get()
    left[0] -= 1
    if left[0] < 0:
        raise TemplateFault(f"the template takes more than {MOST_STEPS:,} steps")


def _turns(items: Iterable[Any]) -> Iterator[Any]:
    """What a loop goes through, counted."""
    for item in items:
        _step()
        yield item


def _counted(items: Any) -> Any:
    if isinstance(items, Undefined):
        return items  # its own error tells the name
    return _Counted(items)


class _Counted:
    """An iterable that keeps its length, which `loop.length` asks for."""

    def __init__(self, items: Any) -> None:
        self._items = items if hasattr(items, "__len__") else list(_turns(items))

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return _turns(self._items)


def _joined(pieces: Iterable[Any]) -> str:
    """What `~` and blocks of text come to."""
    return _concat(text_of(_known(piece)) for piece in pieces)


def _known(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)  # raises, and tells the name
    return value


def _concat(pieces: Iterable[str]) -> str:
    size, kept = 0, []
    for piece in pieces:
        size += len(piece)
        if size > MOST_TEXT:
            raise too_large()
        kept.append(piece)
    return "".join(kept)


def _bounded_filter(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The same filter, between values of bounded size."""

    def bounded_filter(*args: Any, **named: Any) -> Any:
        for value in chain(args, named.values()):
            bounded(value)
        made = filter_(*args, **named)
        return bounded(list(made) if isinstance(made, Iterator) else made)

    for name in ("jinja_pass_arg", "jinja_async_variant"):
        if hasattr(filter_, name):
            setattr(bounded_filter, name, getattr(filter_, name))
    return bounded_filter


def _replace(text: Any, old: str, new: str, count: int | None = None) -> str:
    text, old, new = text_of(_known(text)), text_of(old), text_of(new)
    if len(text) + text.count(old) * len(new) > MOST_TEXT:
        raise too_large()
    made: str = text.replace(old, new, -1 if count is None else count)
    return made


def _join(values: Any, separator: str = "", attribute: str | None = None) -> str:
    found = [bounded(value) for value in values]
    if attribute is not None:
        found = [item[attribute] for item in found]
    texts = [text_of(_known(value)) for value in found]
    if sum(map(len, texts)) + len(separator) * len(texts) > MOST_TEXT:
        raise too_large()
    return separator.join(texts)


def _indent(text: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    lead = width if isinstance(width, str) else " " * min(int(width), 100)
    lines = text_of(_known(text)).split("\n")
    if len(lines) * len(lead) > MOST_TEXT:
        raise too_large()
    rest = [lead + line if line or blank else line for line in lines[1:]]
    return "\n".join([lead + lines[0] if first else lines[0], *rest])


def _groups(name: str) -> Callable[..., Any]:
    made = DEFAULT_FILTERS[name]

    def grouped(value: Any, number: int, fill_with: Any = None) -> Any:
        if not 0 < int(number) <= _MOST_RANGE:
            raise too_large()
        return list(made(value, int(number), fill_with))

    return grouped


def _tojson(value: Any, indent: int | None = None) -> str:
    import json

    bounded(_known(value))
    wide = min(indent, 8) if indent else None
    return json.dumps(value, indent=wide, ensure_ascii=False)


def _range(*bounds: int) -> range:
    made = range(*bounds)
    if len(made) > _MOST_RANGE:
        raise TemplateFault(f"a range may have {_MOST_RANGE:,} numbers, not {len(made):,}")
    return made


_OWN: dict[str, Callable[..., Any]] = {
    "replace": _replace, "join": _join, "indent": _indent, "batch": _groups("batch"),
    "slice": _groups("slice"), "tojson": _tojson, "string": text_of,
}  # fmt: skip


class _Counting(NodeTransformer):
    """Lets loops count their turns, and `~` and comparisons look at sizes first. What is written as
    a tuple becomes a list: the hash of nested tuples can take for ever."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = _through("_counted", node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through("_joined", nodes.List(node.nodes, lineno=node.lineno))

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _through("_bounded", node.expr)
        for operand in node.ops:
            operand.expr = _through("_bounded", operand.expr)
        return node

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return node if node.ctx == "store" else nodes.List(node.items, lineno=node.lineno)


def _through(name: str, node: Any) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one version: its partials are all that it can include."""

    intercepted_binops = frozenset(("+", "*", "**", "%", "//", "-", "/"))
    concat = staticmethod(_concat)

    def __init__(self, partials: Mapping[str, Partial], pins: Mapping[str, str]) -> None:
        super().__init__(
            autoescape=False,
            undefined=Undefinedness,
            keep_trailing_newline=True,
            finalize=_shown,
            loader=FunctionLoader(self._source),
            cache_size=100,
        )
        self._partials = partials
        self._pins = pins
        self.globals = {"range": _range, "dict": dict, "namespace": Namespace}
        bare = {name: DEFAULT_FILTERS[name] for name in FILTERS}
        self.filters = {name: _bounded_filter(made) for name, made in {**bare, **_OWN}.items()}
        self.filters |= {"_counted": _counted, "_joined": _joined, "_bounded": bounded}
        tests: dict[str, Any] = dict(self.tests)
        self.tests = {name: _bounded_filter(tests[name]) for name in TESTS}

    def _source(self, name: str) -> str | None:
        partial = self._partials.get(name)
        return partial.body if partial is not None else None

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:
        """An include in the prompt itself has no parent's name to go by."""
        return super().get_template(self.join_path(name, parent or ""), None, globals)

    def join_path(self, template: str, parent: str) -> str:
        """A partial's own partials are those that it was pinned to."""
        outer = self._partials.get(parent)
        pins = self._pins if outer is None else outer.pins
        return pins.get(template, template)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        for banned in parsed.find_all(_BANNED):
            raise TemplateSyntaxError("a prompt imports and extends nothing", banned.lineno)
        for used in parsed.find_all(nodes.Filter):
            if used.name.startswith("_"):
                raise TemplateSyntaxError(f"there is no filter {used.name!r}", used.lineno)
        return _Counting().visit(parsed)  # type: ignore[no-any-return]

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`order.items` is the order's own field where it has one, not the method."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, Namespace):
            return not attr.startswith("_")
        if isinstance(obj, LoopContext):
            return attr in _LOOP
        return any(isinstance(obj, kind) and attr in names for kind, names in _METHODS.items())

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, Macro | LoopContext) or obj in (_range, dict, Namespace):
            return True
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        return owner is not None and self.is_safe_attribute(owner, name, obj)

    def call(self, context: Any, obj: Any, /, *args: Any, **named: Any) -> Any:
        _step()
        for value in chain(args, named.values()):
            bounded(value)
        return super().call(context, obj, *args, **named)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        _known(left), _known(right)
        if operator == "%" and not isinstance(left, int | float):
            raise SecurityError("'%' is for numbers")
        if operator == "**" and not (abs(left) <= 1_000_000 and abs(right) <= 64):
            raise too_large()
        if operator == "*" and not (
            isinstance(left, int | float) and isinstance(right, int | float)
        ):
            number = right if isinstance(right, int) else left
            held = left if isinstance(right, int) else right
            if len(held) * max(0, number) > MOST_TEXT:
                raise too_large()
        return bounded(super().call_binop(context, operator, bounded(left), bounded(right)))


def _shown(value: Any) -> str:
    return text_of(_known(value))


class JinjaTemplate:
    """One compiled template. As a callable it renders."""

    __slots__ = ("_template", "_where")

    def __init__(self, sandbox: Sandbox, source: str, where: str) -> None:
        self._where = where
        try:
            self._template = sandbox.from_string(source)
            self._load_partials(sandbox, source)
        except (TemplateError, RecursionError) as bad:
            raise _fault(bad, where) from None

    def _load_partials(self, sandbox: Sandbox, source: str) -> None:
        for name in included(source, self._where):
            sandbox.get_template(sandbox.join_path(name, ""))

    def __call__(self, values: Mapping[str, Any]) -> str:
        token = _steps.set([MOST_STEPS])
        try:
            return self._template.render(values)
        except TemplateFault as fault:
            raise TemplateFault(
                f"{self._where}: {fault.message}", variable=fault.variable
            ) from None
        except Exception as bad:  # whatever a template does is the template's fault
            raise _fault(bad, self._where) from None
        finally:
            _steps.reset(token)


def _fault(bad: BaseException, where: str) -> TemplateFault:
    if isinstance(bad, TemplateFault):
        return bad
    if isinstance(bad, UndefinedError):
        name = str(bad).split("'")[1] if str(bad).count("'") >= 2 else ""
        return TemplateFault(f"{where}: {bad}", variable=name)
    if isinstance(bad, TemplateNotFound):
        return TemplateFault(f"{where}: there is no partial {bad.name!r}", hint="NAME@VERSION")
    if isinstance(bad, TemplateSyntaxError):
        return TemplateFault(f"{where}, line {bad.lineno}: {bad.message}", line=bad.lineno)
    if isinstance(bad, RecursionError):
        return TemplateFault(f"{where}: it calls itself without an end")
    return TemplateFault(f"{where}: {bad}")


def included(source: str, where: str = "the prompt") -> tuple[str, ...]:
    """The partials that a template names. Raises TemplateFault for a name that is worked out."""
    parsed = _parsed(source, where)
    for node in parsed.find_all(nodes.Include):
        if not (isinstance(node.template, nodes.Const) and isinstance(node.template.value, str)):
            raise TemplateFault(
                f"{where}, line {node.lineno}: a partial is named in quotes, such as "
                "{% include 'tone@3' %}",
                line=node.lineno,
            )
    found = (node.template.value for node in parsed.find_all(nodes.Include))  # type: ignore[attr-defined]
    return tuple(dict.fromkeys(found))


def used(source: str, where: str = "the prompt") -> frozenset[str]:
    """The variables that a template reads."""
    return frozenset(meta.find_undeclared_variables(_parsed(source, where))) - {
        "range", "dict", "namespace",
    }  # fmt: skip


def _parsed(source: str, where: str) -> nodes.Template:
    try:
        return Sandbox({}, {}).parse(source)
    except (TemplateError, RecursionError) as bad:
        raise _fault(bad, where) from None
