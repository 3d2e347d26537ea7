"""The documents say what the code does; where one goes stale, this fails."""

import ast
import re
from pathlib import Path

import pytest

from tools import reference

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "outdialer"

_CODE_PLACE = re.compile(r"`([a-z_/]+\.py)(?::([A-Za-z_.]+))?`")
_LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]


def test_the_reference_pages_are_up_to_date() -> None:
    assert reference.stale() == [], "run make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def _names(tree: ast.Module) -> set[str]:
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
            found |= {f"{node.name}.{item.name}" for item in node.body if isinstance(item, _FUNCTIONS)}
        elif isinstance(node, _FUNCTIONS):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@pytest.mark.parametrize("place", sorted(set(_CODE_PLACE.findall((ROOT / "ARCHITECTURE.md").read_text()))))
def test_the_architecture_names_code_that_is_there(place: tuple[str, str]) -> None:
    path, name = place
    file = SOURCE / path
    assert file.exists(), path
    if name:
        assert name in _names(ast.parse(file.read_text())), f"{path} has no {name}"


def test_every_room_is_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = {folder.name for folder in SOURCE.iterdir() if folder.is_dir() and (folder / "__init__.py").exists()}
    assert [room for room in sorted(rooms) if f"{room}/" not in text] == []


def test_ports_name_their_implementations() -> None:
    for port in ("carrier", "media", "clock", "store"):
        text = (SOURCE / "ports" / f"{port}.py").read_text()
        named = re.findall(r"``outdialer\.([a-z_.]+)\.([A-Z]\w+)``", text)
        for module, name in named:
            file = SOURCE / (module.replace(".", "/") + ".py")
            assert name in _names(ast.parse(file.read_text())), f"ports/{port}.py names {module}.{name}"
