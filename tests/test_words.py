"""No class, function, parameter, variable or module of the package has a name that says nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGE = ROOT / "depthmask"
ROOMS = sorted(
    path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"
)
WORDS = frozenset(
    {
        # Classes, each with a plainer name now.
        *("Part", "Found", "Places", "Made", "Foreign", "Given", "Expected"),
        *("Checked", "Listed", "Claim"),
        # Functions.
        *("standing", "carry_out", "again", "ahead", "likes", "together", "over_origin"),
        *("side_by_side", "spread", "bounded"),
        # Variables and parameters.
        *("found", "there", "wanted", "given", "dealt", "told", "random"),
    }
)
"""Nothing may have these names, with or without leading underscores."""
ONLY_AS = {"origin": "function", "find": "module"}
"""Names that only this kind may not have: a ray has an origin."""
KEPT = frozenset({("stages/placement/random.py", "random"), ("Sampling", "random")})
"""(file, module) and (class, member) that users choose: `placement=random`, `sampling=random`."""


def is_out(name: str, kind: str) -> bool:
    """Whether the name is forbidden for this kind."""
    plain = name.lstrip("_")
    return plain in WORDS or ONLY_AS.get(plain) == kind


def names(tree: ast.AST, owner: str = "") -> Iterator[tuple[int, str, str]]:
    """Yield (line, name, kind) of every name that is bound; owner: the class whose body this is."""
    for node in ast.iter_child_nodes(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield line, name, "function"
            case ast.ClassDef(name=name):
                yield line, name, "class"
            case ast.Name(id=name, ctx=ast.Store()):
                if (owner, name) not in KEPT:
                    yield line, name, "variable"
            case (
                ast.arg(arg=name)
                | ast.keyword(arg=str(name))
                | ast.Attribute(attr=name, ctx=ast.Store())
                | ast.alias(asname=str(name))
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                yield line, name, "variable"
        if isinstance(node, ast.ClassDef):
            yield from names(node, node.name)
        else:
            is_field = isinstance(node, ast.Assign | ast.AnnAssign)
            yield from names(node, owner if is_field else "")


def bad_names(path: Path) -> Iterator[str]:
    """Yield `file:line: name` for every forbidden name in a file."""
    file = path.relative_to(PACKAGE)
    modules = [*file.parent.parts, file.stem]
    if (file.as_posix(), file.stem) not in KEPT and any(is_out(one, "module") for one in modules):
        yield f"{file}: the module"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bad = {(line, name) for line, name, kind in names(tree) if is_out(name, kind)}
    yield from (f"{file}:{line}: {name}" for line, name in sorted(bad))


def require_good_names(files: list[Path]) -> None:
    bad = [line for file in files for line in bad_names(file)]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("room", ROOMS)
def test_names_of_a_room(room: str) -> None:
    require_good_names(sorted((PACKAGE / room).rglob("*.py")))


def test_names_of_the_modules() -> None:
    require_good_names(sorted(PACKAGE.glob("*.py")))


SAMPLE = """
import somewhere as told
class Part:
    dealt: int = 0
class Sampling:
    random = "random"
def spread(found, *given, wanted=1, **likes):
    self.ahead = [there for there in ()]
    with open() as _together:
        call(again=1)
    try:
        bounded: int = 0
    except OSError as standing:
        origin = random = 1
    match 1:
        case [*Claim]: pass
        case Found: pass
    (carry_out := lambda Given: 0)
    def origin(): pass
"""
BAD = {"told", "Part", "dealt", "spread", "found", "given", "wanted", "likes", "ahead", "there"}
BAD |= {"_together", "again", "bounded", "standing", "random", "Claim", "Found", "carry_out"}
BAD |= {"Given", "origin"}


def test_every_way_to_name_something_is_seen() -> None:
    seen = [name for _, name, kind in names(ast.parse(SAMPLE)) if is_out(name, kind)]
    assert sorted(seen) == sorted(BAD)
