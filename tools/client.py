"""Writes the generated part of the Python client, ``outdialer.client.resources``, from the declared operations.

One module for each resource: its structs, its table of operations, and two classes with a method for each operation.
``--check`` only says whether they are up to date.
"""

import re
import subprocess
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from outdialer import __version__
from outdialer.api.app import all_resources
from outdialer.api.metrics import RequestMetrics
from outdialer.api.openapi import openapi_document

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "src" / "outdialer" / "client" / "resources"
NOTICE = "Made by tools/client.py from the declared operations; ``make docs`` writes it anew."
LEFT_OUT = frozenset({"metrics", "reference"})
"""Resources that are not for programs of this kind."""
STREAM = "text/event-stream"
SHARED = "shared"
"""The module of what several resources use."""

Json = dict[str, Any]


class Schemas:
    """The objects of the document, and which module has each of them."""

    def __init__(self, document: Json) -> None:
        self.all: dict[str, Json] = document["components"]["schemas"]
        self.versioned: set[str] = set()
        self.sent: set[str] = set()
        self.home: dict[str, str] = {}

    def locate(self, users: Mapping[str, set[str]]) -> None:
        """Give each object a module: its only resource's, the one named like it, or the shared one."""
        for name, tags in users.items():
            own = f"{name.lower()}s"
            self.home[name] = next(iter(tags)) if len(tags) == 1 else own if own in tags else SHARED

    def at(self, module: str) -> list[str]:
        """The objects of a module, each after those that it holds."""
        own = sorted(name for name, home in self.home.items() if home == module)
        ordered: dict[str, None] = {}
        for name in own:
            ordered |= dict.fromkeys([*reversed(list(self.inner(self.all[name]))), name])
        return [name for name in ordered if name in own]

    def inner(self, node: Any) -> Iterator[str]:
        """The objects that a schema refers to, and those that they refer to."""
        if isinstance(node, list):
            for item in node:
                yield from self.inner(item)
        elif isinstance(node, dict):
            if "$ref" in node:
                name = ref(node)
                yield name
                yield from self.inner(self.all[name])
            for value in node.values():
                yield from self.inner(value)


def ref(schema: Json) -> str:
    """The name of the object that a schema refers to; "" for none."""
    return str(schema.get("$ref", "")).rsplit("/", 1)[-1]


class Method:
    """One operation as the client has it."""

    def __init__(self, path: str, verb: str, about: Json, schemas: Schemas) -> None:
        self.path, self.verb, self.about, self._schemas = path, verb.upper(), about, schemas
        self.tag: str = about["tags"][0]
        self.operation: str = about["operationId"]
        parameters = about.get("parameters", [])
        self.ids = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
        self.query = [parameter for parameter in parameters if parameter["in"] == "query"]
        self.guarded = any(parameter["name"] == "If-Match" for parameter in parameters)
        content = about["responses"]["200"].get("content", {})
        self.media_type: str = next(iter(content), "")
        self.answer_schema: Json = content.get(self.media_type, {}).get("schema", {})
        body = about.get("requestBody")
        self.body: Json | None = schemas.all[ref(body["content"]["application/json"]["schema"])] if body else None
        self.has_etag = "ETag" in about["responses"]["200"]["headers"]

    @property
    def name(self) -> str:
        """Without what its resource says already: ``create_campaign`` of ``campaigns`` is ``create``."""
        return re.sub(rf"_({self.tag}|{self.tag.rstrip('s')})(?=_|$)", "", self.operation, count=1)

    @property
    def row(self) -> str:
        """What a list lists; "" for what is no list."""
        fields = self._schemas.all.get(ref(self.answer_schema), {}).get("properties", {})
        return ref(fields["result"]["items"]) if "next_page_token" in fields else ""

    @property
    def answer(self) -> str:
        """The Python type of the answer."""
        if self.row:
            return f"Page[{self.row}]"
        if not self.media_type:
            return "None"
        return ref(self.answer_schema) or "bytes"

    def id_names(self) -> dict[str, str]:
        """The parameter of each placeholder: ``id``, or ``outdial_id`` where it is another resource's."""
        names = {}
        for placeholder in self.ids:
            owner = re.search(rf"/([a-z_]+)/{{{placeholder}}}", self.path)
            foreign = placeholder == "id" and owner is not None and self._is_foreign(owner[1])
            names[placeholder] = f"{owner[1].rstrip('s')}_id" if foreign and owner else placeholder
        return names

    def _is_foreign(self, segment: str) -> bool:
        return self.tag == "targets" and segment != "targets"

    def used(self) -> set[str]:
        """Every object of its answer, and those inside its body."""
        names = set(self._schemas.inner(self.answer_schema)) | set(self._schemas.inner(self.body or {}))
        return names - {ref(self.answer_schema)} if self.row else names


class Module:
    """The source of one resource's module."""

    def __init__(self, tag: str, description: str, methods: list[Method], schemas: Schemas) -> None:
        self._tag, self._description, self._methods, self._schemas = tag, description, methods, schemas
        self._foreign: dict[str, set[str]] = defaultdict(set)
        self._shared: set[str] = set()

    def source(self) -> str:
        """The whole module."""
        structs = "".join(map(self._struct, self._schemas.at(self._tag)))
        table = "".join(map(self._row, self._methods))
        classes = ""
        if self._methods:
            stem = "".join(part.title() for part in self._tag.split("_"))
            classes = self._class(f"{stem}Api", "Resource", "") + self._class(f"Async{stem}Api", "AsyncResource", "a")
        body = f"{structs}\n{table}\n{classes}"
        about = _docstring(f"{self._description}\n\n{NOTICE}", 0)
        return f"{about}\n\n{self._imports(body)}\n{body.lstrip()}"

    def _imports(self, body: str) -> str:
        wanted = {
            "collections.abc": ("AsyncIterator", "Iterator", "Mapping", "Sequence"),
            "datetime": ("datetime",),
            "typing": ("Any", "Literal"),
            "msgspec": ("Struct",),
            "outdialer.client.exchange": ("Operation", "Page", "Versioned"),
            "outdialer.client.transport": ("AsyncResource", "Resource"),
        }
        lines = [
            (module, {name for name in names if re.search(rf"\b{name}\b", body)}) for module, names in wanted.items()
        ]
        lines += [(f"outdialer.client.resources.{module}", names) for module, names in sorted(self._foreign.items())]
        return _import_lines(lines)

    def _struct(self, name: str) -> str:
        schema = self._schemas.all[name]
        about = _sentence(schema.get("description") or f"{name}.")
        versioned = name in self._schemas.versioned
        sent = name in self._schemas.sent
        base = (
            "Versioned, kw_only=True"
            if versioned
            else f"Struct, frozen=True, kw_only=True{', omit_defaults=True' if sent else ''}"
        )
        required = set(schema.get("required", ()))
        fields = [
            self._field(field, part, field in required and not sent)
            for field, part in schema.get("properties", {}).items()
        ]
        return f'\n\nclass {name}({base}):\n    """{about}"""\n\n{"".join(fields)}'

    def _field(self, name: str, schema: Json, required: bool) -> str:
        kind = self._type(schema, sent=False)
        default = ""
        if not required:
            plain = kind == "str"
            kind = kind if plain or kind.endswith("| None") else f"{kind} | None"
            default = ' = ""' if plain else " = None"
        note = schema.get("description", "")
        return f"    {name}: {kind}{default}\n" + (f"    {_docstring(note, 4)}\n" if note else "")

    def _name(self, name: str) -> str:
        home = self._schemas.home[name]
        if home != self._tag:
            self._foreign[home].add(name)
        return name

    def _type(self, schema: Json, *, sent: bool) -> str:
        if "$ref" in schema:
            return self._ref_type(ref(schema), sent=sent)
        if "anyOf" in schema:
            kinds = dict.fromkeys(self._type(part, sent=sent) for part in schema["anyOf"])
            return " | ".join(sorted(kinds, key=lambda kind: kind == "None"))
        if sent and "enum" in schema:
            values = [value for value in schema["enum"] if value is not None]
            return f"Literal[{', '.join(map(repr, values))}]"
        if schema.get("type") == "array":
            items = self._type(schema.get("items") or {}, sent=sent)
            return f"Sequence[{items}]" if sent else f"list[{items}]"
        if schema.get("type") == "object":
            each = schema.get("additionalProperties")
            inner = self._type(each, sent=sent) if isinstance(each, dict) and each else "Any"
            return f"Mapping[str, {inner}]" if sent else f"dict[str, {inner}]"
        if schema.get("format") == "date-time" and not sent:
            return "datetime"
        kinds_by_type = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
        return kinds_by_type.get(
            str(schema.get("type", "str" if "enum" in schema else "")), "str" if "enum" in schema else "Any"
        )

    def _ref_type(self, name: str, *, sent: bool) -> str:
        if not sent:
            return self._name(name)
        read = name.removesuffix("Body")
        names = [name] + ([read] if read != name and read in self._schemas.home else [])
        return " | ".join([*map(self._name, names), "Mapping[str, Any]"])

    def _row(self, method: Method) -> str:
        answer = "type(None)" if method.answer == "None" else method.answer
        return f'{_constant(method)} = Operation("{method.verb}", "{method.path}", {self._answer(method, answer)})\n'

    def _answer(self, method: Method, text: str) -> str:
        for name in re.findall(r"[A-Z]\w+", text):
            if name in self._schemas.home:
                self._name(name)
        return text

    def _class(self, name: str, base: str, kind: str) -> str:
        for_whom = "For a client that awaits." if kind else "For a client that blocks."
        about = _docstring(f"{self._description}\n\n{for_whom}", 4)
        return f"\n\nclass {name}({base}):\n    {about}\n\n" + "\n".join(
            self._method(method, kind) for method in self._methods
        )

    def _method(self, method: Method, kind: str) -> str:
        ids = method.id_names()
        fields = (method.body or {}).get("properties", {})
        required = set((method.body or {}).get("required", ()))
        named = sorted(fields, key=lambda field: field not in required)
        positional = [f"{name}: str" for name in ids.values()]
        keywords = [self._parameter(field, fields[field], field in required) for field in named]
        keywords += [f"{parameter['name']}: {self._query_type(parameter)} | None = None" for parameter in method.query]
        keywords += ["if_match: str | None = None"] if method.guarded else []
        signature = ", ".join(["self", *positional, *(["*", *keywords] if keywords else [])])
        arguments = [
            _constant(method),
            "{" + ", ".join(f'"{placeholder}": {name}' for placeholder, name in ids.items()) + "}",
            "{" + ", ".join(f'"{p["name"]}": {p["name"]}' for p in method.query) + "}",
        ]
        if method.body is not None:
            arguments.append("{" + ", ".join(f'"{field}": {field}' for field in named) + "}")
        if method.guarded:
            arguments.append("if_match=if_match")
        call = ", ".join(arguments)
        doc = _docstring(self._explained(method, fields) if not kind else method.about["summary"], 8)
        if method.row:
            returned = f"{'Async' if kind else ''}Iterator[{method.row}]"
            return _function("def", method.name, signature, returned, doc, f"return self._api.rows({call})")
        head, word = ("async def", "await ") if kind else ("def", "")
        give = "" if method.answer == "None" else "return "
        return _function(head, method.name, signature, method.answer, doc, f"{give}{word}self._api.call({call})")

    def _parameter(self, name: str, schema: Json, required: bool) -> str:
        kind = self._type(schema, sent=True)
        return f"{name}: {kind}" if required else f"{name}: {kind.removesuffix(' | None')} | None = None"

    def _query_type(self, parameter: Json) -> str:
        return self._type(parameter["schema"], sent=True)

    def _explained(self, method: Method, fields: Json) -> str:
        lines = [_sentence(method.about["summary"])]
        notes = [method.about["description"]] if method.about.get("description") else []
        notes += [f"{name}: {note}" for name, schema in fields.items() if (note := _note(schema))]
        notes += ["if_match: the ``etag`` of the object as it was read."] if method.guarded else []
        return "\n\n".join(lines + notes)


def _import_lines(wanted: Sequence[tuple[str, set[str]]]) -> str:
    """Imports in the order of the linter: the standard library, msgspec, ours."""
    groups: dict[int, list[str]] = defaultdict(list)
    for module, names in sorted(wanted):
        if names:
            group = 2 if module.startswith("outdialer") else 1 if module == "msgspec" else 0
            groups[group].append(f"from {module} import {', '.join(sorted(names))}\n")
    return "\n".join("".join(groups[group]) for group in sorted(groups))


def _note(schema: Json) -> str:
    parts = [schema, *schema.get("anyOf", ())]
    return next((str(part["description"]) for part in parts if part.get("description") and "$ref" not in part), "")


def _function(head: str, name: str, signature: str, returned: str, doc: str, line: str) -> str:
    return f"    {head} {name}({signature}) -> {returned}:\n        {doc}\n        {line}\n"


def _constant(method: Method) -> str:
    return f"_{method.operation.upper()}"


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith(".") else f"{text}."


def _docstring(text: str, indent: int) -> str:
    """A docstring: one line, or paragraphs."""
    paragraphs = [" ".join(part.split()) for part in text.replace("`", "``").replace("````", "``").split("\n\n")]
    paragraphs = [_sentence(part) for part in paragraphs]
    escaped = [part.replace("\\", "\\\\") for part in paragraphs]
    margin = " " * indent
    wrapped = ["\n".join(textwrap.wrap(part, 116 - indent, subsequent_indent=margin)) for part in escaped]
    if len(wrapped) == 1 and "\n" not in wrapped[0] and not wrapped[0].endswith('"'):
        return f'"""{wrapped[0]}"""'
    return '"""' + f"\n\n{margin}".join(wrapped) + f'\n{margin}"""'


def _methods(document: Json, schemas: Schemas) -> dict[str, list[Method]]:
    found: dict[str, list[Method]] = defaultdict(list)
    for path, verbs in document["paths"].items():
        for verb, about in verbs.items():
            method = Method(path, verb, about, schemas)
            if method.tag not in LEFT_OUT and method.media_type != STREAM:
                found[method.tag].append(method)
    return found


def _resources(tags: list[str]) -> str:
    stems = {tag: "".join(part.title() for part in tag.split("_")) for tag in tags}
    wanted = [(f"outdialer.client.resources.{tag}", {f"{stem}Api", f"Async{stem}Api"}) for tag, stem in stems.items()]
    lines = [_import_lines([*wanted, ("outdialer.client.transport", {"Api", "AsyncApi"})])]
    for name, api, prefix in (("Resources", "Api", ""), ("AsyncResources", "AsyncApi", "Async")):
        blocks = "blocks" if not prefix else "awaits"
        lines.append(f'\n\nclass {name}:\n    """Every resource of the API, for a client that {blocks}."""\n\n')
        lines.append(f"    def __init__(self, api: {api}) -> None:\n")
        lines += [f"        self.{tag} = {prefix}{stem}Api(api)\n" for tag, stem in stems.items()]
    return f'"""Every resource of the API.\n\n{NOTICE}\n"""\n\n' + "".join(lines)


def sources() -> dict[str, str]:
    """Every generated module with its text, formatted."""
    document = openapi_document(all_resources(RequestMetrics()), __version__)
    schemas = Schemas(document)
    methods = _methods(document, schemas)
    users: dict[str, set[str]] = defaultdict(set)
    for tag, of_tag in methods.items():
        for method in of_tag:
            for name in sorted(method.used()):
                users[name].add(tag)
            if method.has_etag:
                schemas.versioned.add(method.answer)
            schemas.sent |= set(schemas.inner(method.body or {}))
    schemas.locate(dict(sorted(users.items())))
    about = {tag["name"]: tag["description"] for tag in document["tags"]}
    made = {tag: Module(tag, about[tag], of_tag, schemas).source() for tag, of_tag in methods.items()}
    made[SHARED] = Module(SHARED, "What several resources use.", [], schemas).source()
    made["__init__"] = _resources(list(methods))
    return {f"{name}.py": _formatted(text) for name, text in made.items()}


def _formatted(source: str) -> str:
    ruff = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", str(FOLDER / "resource.py"), "-"]
    return subprocess.run(ruff, input=source, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def stale() -> list[str]:
    """The modules that are not what the operations make them."""
    wanted = sources()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


if __name__ == "__main__":
    if "--check" in sys.argv:
        if wrong := stale():
            sys.exit(f"out of date: {', '.join(wrong)}; run make docs")
    else:
        FOLDER.mkdir(parents=True, exist_ok=True)
        modules = sources()
        for old in FOLDER.glob("*.py"):
            if old.name not in modules:
                old.unlink()
        for module_name, module_text in modules.items():
            (FOLDER / module_name).write_text(module_text, encoding="utf-8")
