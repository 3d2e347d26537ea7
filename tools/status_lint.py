"""Check that a status changes nowhere but through the state tables of the domain.

The tables and their ``apply`` functions are in ``domain/{attempt,call,target,campaign}.py``. Everywhere else this
lint refuses, for ``status`` and ``{attempt,call,target,campaign}_status``:

- an assignment ``x.status = value`` (and ``setattr``) unless the value comes out of ``apply`` in the same function,
  or an ``__init__`` takes it over,
- ``replace(x, status=value)`` unless the value comes out of ``apply`` in the same function,

and for these and ``result``, which comes from an outcome instead:

- a value, keyword or dict entry (a statement's parameter) that names a member of a status enumeration; in the store
  one that spells its word, too,
- in SQL, also inside Python strings, ``SET status = `` anything but a bare parameter.

The status that something is born with may be named. ``phones`` and ``carriers`` are not read: there a status is a
SIP response code, and they hold nothing of the books. It is a heuristic: it finds honest mistakes, not hidden ones.

    python tools/status_lint.py [folder ...]        exit code 1 when something was found
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
OWNERS = frozenset(f"domain/{name}.py" for name in ("attempt", "call", "target", "campaign", "outcome"))
UNREAD_ROOMS = ("phones/", "carriers/")
FIELDS = frozenset({"status", "attempt_status", "call_status", "target_status", "campaign_status", "result"})
BIRTHS = {
    "AttemptStatus": "DIALING",
    "CallStatus": "DIALING",
    "TargetStatus": "IDLE",
    "CampaignStatus": "STOP",
    "Result": "NONE",
}
WORDS = frozenset(
    ["progressing", "done", "ringing", "terminating", "canceling", "hangup", "run", "stopping", "success", "fail"]
)
"""The words of statuses and results, but for those that things are born with."""

_SET_CLAUSE = re.compile(r"\bSET\b(?P<body>.*?)(?=\bWHERE\b|\bFROM\b|\bRETURNING\b|;|\Z)", re.IGNORECASE | re.DOTALL)
_ASSIGNMENT = re.compile(r"\b(?P<field>status|result)\s*=\s*(?P<value>[^,\n]+)", re.IGNORECASE)
_PARAMETER = re.compile(r"(?:[:@$][A-Za-z_]\w*|\$\d+|\?\d*)(?:::\w+)?")
_COMMENT = re.compile(r"--[^\n]*")


class Finding(NamedTuple):
    """One place where a status is written past its table."""

    path: str
    line: int
    what: str


def check_sql(path: str, text: str, first_line: int = 1) -> Iterator[Finding]:
    """The assignments of a SQL text that give a status anything but a parameter."""
    plain = _COMMENT.sub(lambda comment: " " * len(comment.group()), text)
    for clause in _SET_CLAUSE.finditer(plain):
        for found in _ASSIGNMENT.finditer(clause["body"]):
            if not _PARAMETER.fullmatch(found["value"].strip()):
                line = first_line + plain.count("\n", 0, clause.start("body") + found.start())
                yield Finding(path, line, f"SQL sets {found['field']} to {found['value'].strip()}")


def check_python(path: str, source: str) -> Iterator[Finding]:
    """The places of a module that write a status past its table."""
    tree = ast.parse(source, path)
    for scope, node in _nodes(tree, tree):
        for what in _wrong(scope, node, spelled="/store/" in path):
            yield Finding(path, node.lineno, what)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from check_sql(path, node.value, node.lineno)


def _nodes(scope: ast.AST, node: ast.AST) -> Iterator[tuple[ast.AST, ast.expr | ast.stmt]]:
    """Every statement and expression with the function (or module) it stands in."""
    for child in ast.iter_child_nodes(node):
        inner = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else scope
        if isinstance(child, ast.expr | ast.stmt):
            yield inner, child
        yield from _nodes(inner, child)


def _wrong(scope: ast.AST, node: ast.AST, *, spelled: bool) -> Iterator[str]:
    """What is wrong with one node; ``spelled``: a status word counts as naming the status, too."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from _wrong_assignment(scope, targets, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value):
            yield from _wrong_assignment(scope, [target], value)
        case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str(field)), value]):
            if field in FIELDS and not _is_right(scope, field, value):
                yield f"setattr of {field}"
        case ast.Call(func=function, keywords=keywords):
            for keyword in keywords:
                if keyword.arg in FIELDS and (spelled or not isinstance(keyword.value, ast.Constant)):
                    yield from _wrong_value(scope, _name(function), keyword.arg, keyword.value)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value in FIELDS and _is_fresh(value, spelled):
                    yield f"{key.value!r} is given {ast.unparse(value)}"


def _wrong_assignment(scope: ast.AST, targets: list[ast.expr], value: ast.expr) -> Iterator[str]:
    for leaf in (leaf for target in targets for leaf in _leaves(target)):
        field = leaf.attr if isinstance(leaf, ast.Attribute) else _key(leaf)
        if field in FIELDS and not _is_right(scope, field, value):
            yield f"{ast.unparse(leaf)} is assigned {ast.unparse(value)}"


def _leaves(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _leaves(element)
    else:
        yield target


def _key(target: ast.expr) -> str:
    """The field that ``x["status"]`` names, or ""."""
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return ""


def _wrong_value(scope: ast.AST, function: str, field: str, value: ast.expr) -> Iterator[str]:
    if function == "replace" and not _is_right(scope, field, value):
        yield f"replace(..., {field}={ast.unparse(value)})"
    elif _is_fresh(value):
        yield f"{function}(..., {field}={ast.unparse(value)})"


def _is_right(scope: ast.AST, field: str, value: ast.expr) -> bool:
    """Whether a value is one that something is born with, or comes out of a table or an outcome."""
    nodes = list(ast.walk(value))
    if any(_is_apply(node) for node in nodes) or (_members(value) and not _is_fresh(value)):
        return True
    if field == "result" or getattr(scope, "name", "") == "__init__":
        return not _is_fresh(value)
    applied = _applied_names(scope)
    return any(isinstance(node, ast.Name) and node.id in applied for node in nodes)


def _is_apply(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) == "apply"


def _applied_names(scope: ast.AST) -> set[str]:
    """The names that a function gives to what ``apply`` returned."""
    names: set[str] = set()
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign | ast.NamedExpr) and any(_is_apply(part) for part in ast.walk(node.value)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return names


def _is_fresh(value: ast.expr, spelled: bool = True) -> bool:
    """Whether a value names a status that no table gave; ``spelled``: a plain word names one, too."""
    if isinstance(value, ast.Compare) or _is_apply(value):
        return False
    if isinstance(value, ast.IfExp):
        return _is_fresh(value.body, spelled) or _is_fresh(value.orelse, spelled)
    if isinstance(value, ast.BoolOp):
        return any(_is_fresh(part, spelled) for part in value.values)
    if isinstance(value, ast.Call) and _name(value.func) == "str" and value.args:
        return _is_fresh(value.args[0], spelled)
    if isinstance(value, ast.Attribute) and value.attr == "value":
        return _is_fresh(value.value, spelled)
    if isinstance(value, ast.Constant):
        return spelled and value.value in WORDS
    return any(BIRTHS[enumeration] != member for enumeration, member in _members(value))


def _members(value: ast.expr) -> list[tuple[str, str]]:
    if isinstance(value, ast.Attribute) and _name(value.value) in BIRTHS:
        return [(_name(value.value), value.attr)]
    return []


def _name(node: ast.AST) -> str:
    """The last name of ``a.b.c``."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def check_folder(folder: Path) -> Iterator[Finding]:
    """All findings under a package folder."""
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.sql")]):
        name = path.relative_to(folder).as_posix()
        if name in OWNERS or name.startswith(UNREAD_ROOMS):
            continue
        check = check_sql if path.suffix == ".sql" else check_python
        yield from check(str(path), path.read_text())


def main(folders: list[str]) -> int:
    """Print what was found."""
    findings = [finding for folder in folders for finding in check_folder(Path(folder))]
    for finding in findings:
        print(f"{finding.path}:{finding.line}: {finding.what}; a status changes through its table's apply only")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or [str(ROOT / "src/outdialer")]))
