import ast
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stages import STAGES
from pipeline.closure import Code, closure, fingerprint
from pipeline.errors import UserError
from tests.support.copies import ROOT

FIXTURES = {
    "f-strings": """
def show(x, d):
    return f"{x!r:>{d['width']}} {x=}" + f'{x:.{2}f}' + f"it's {{x}}" "and" f'{d["k"]}'
""",
    "classes": """
class A(B, metaclass=C):
    'Doc.'
    x: int = 1

    @property
    async def y(self, *, z=(1, 2), **k):
        'Doc.'
        async with a as b, c:
            yield [*b, -1 ** 2, not c, lambda q, /: q]
""",
    "matching": """
match x:
    case {'a': 1, **rest} if (y := rest):
        pass
    case [1, *_] | A(b=2):
        raise E from None
""",
    "slices": r"""
a[1:2, ::3] = x[(1, 2)] = b'\x00' + 'q"uo\'te\n' * 1_000 + 1e100j
del a[..., None]
for i, (j, *k) in (yield from x), {**d}: print(*k, sep='')
""",
}
DIGESTS = {
    "f-strings": "19b444a50d0e4cb391e6fefb4919b9983c2bd97e95ca8965bf9fa0ca0e3fc532",
    "classes": "f9b3d36ada7f8d1603a8db6620e4095a63dbbb2700b2394f2623a59a9435b53b",
    "matching": "5a6917783fd9f32220636c10b6f822cab46a68a61d6df28dff6c97f55463ebd2",
    "slices": "1215126b63a86dc09fd3ca72186454c1579786af70fb7b5d36519e8ee2091cd7",
}


def write(root: Path, **modules: str) -> None:
    for name, text in modules.items():
        path = root.joinpath(*name.split("__"))
        path = path / "__init__.py" if text.startswith("# package") else path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


CODE = "def f(x):\n    return x + 1\n"


@pytest.mark.parametrize(
    "same",
    [
        "def f(x):\n    return x + 1  # a comment\n",
        "# first\n\n\ndef f( x ):\n\n    return (x\n        + 1)\n",
        '"""Module."""\ndef f(x):\n    """Doc."""\n    return x + 1\n',
        "def f(x):\n    'Doc.'\n    'and more'\n    return x + 1\n",
    ],
)
def test_comments_formatting_and_docstrings_do_not_count(same: str) -> None:
    assert fingerprint(same) == fingerprint(CODE)
    assert fingerprint('def f():\n    """Doc."""\n') == fingerprint("def f():\n    pass\n")


@pytest.mark.parametrize(
    "other",
    [
        "def f(x):\n    return x + 2\n",
        "def f(y):\n    return y + 1\n",
        "def f(x):\n    return x + 1.0\n",
        "def f(x=0):\n    return x + 1\n",
        "def f(x):\n    return x + 1\n\n\nf(1)\n",
        "def f(x):\n    return 'x + 1'\n",
    ],
)
def test_any_change_of_code_counts(other: str) -> None:
    assert fingerprint(other) != fingerprint(CODE)


# Not three quotation marks: between the lines of a docstring they would end it.
comments_of_any_kind = st.text("ab# '\"(", max_size=12).filter(lambda text: '"""' not in text)


@given(st.lists(st.tuples(st.integers(0, 200), comments_of_any_kind), max_size=8))
def test_comments_put_anywhere_between_lines_change_nothing(comments: list[tuple[int, str]]) -> None:
    source = (ROOT / "pipeline" / "files.py").read_text()
    quiet = ast.unparse(ast.parse(source)).splitlines()
    expected = fingerprint("\n".join(quiet))
    for position, text in comments:
        quiet.insert(position % (len(quiet) + 1), f"# {text}")
    assert fingerprint("\n".join(quiet)) == expected


def test_every_kind_of_import_is_followed(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="import b\nimport numpy\ndef f():\n    from p.q import r\n    from .nothing import x\n",
        b="from p import s\n",
        p="# package\n",
        p__q="# package\n",
        p__q__r="from . import near\nfrom ..s import *\nimport p.deep.deeper as d\n",
        p__q__near="",
        p__s="",
        p__deep__deeper="",
        p__unreached="",
    )
    assert list(closure("a", tmp_path)) == ["a", "b", "p", "p.deep.deeper", "p.q", "p.q.near", "p.q.r", "p.s"]


@pytest.mark.parametrize(
    ("line", "reached"),
    [
        ("importlib.import_module('p.near')", "p.near"),
        ("from importlib import import_module as take\ntake('p.near')", "p.near"),
        ("importlib.import_module('.near', __package__)", "p.near"),
        ("importlib.import_module('..alone', package=__package__)", "alone"),
        ("importlib.import_module('alone')", "alone"),
        ("__import__('p.near')", "p.near"),
        ("__import__('p.deep.deeper', fromlist=['x'])", "p.deep.deeper"),
        ("CALLED = {'one': 'p.near:function'}", "p.near"),
        ("subprocess.run([sys.executable, '-m', 'p.near'])", "p.near"),
        ("importlib.import_module(f'p.{kind}')", None),
        ("'p.near'", None),
        ("raise ValueError('p.near is not there')", None),
    ],
)
def test_a_module_that_is_imported_by_its_name_in_a_string_is_followed(
    tmp_path: Path, line: str, reached: str | None
) -> None:
    write(tmp_path, p="# package\n", p__a=f"{line}\n", p__near="", p__deep__deeper="", alone="")
    assert {*closure("p.a", tmp_path)} - {"p", "p.a"} == ({reached} if reached else set())


@pytest.mark.parametrize(
    "line",
    [
        "Path(__file__).with_name('table.json')",
        "importlib.resources.files(__package__)",
        "from importlib import resources",
        "from importlib.resources import files",
        "import pkgutil",
        "__spec__.origin",
    ],
)
def test_files_beside_a_module_that_can_find_them_are_code(tmp_path: Path, line: str) -> None:
    write(tmp_path, p="# package\n", p__a=f"from p import b\n{line}\n", p__b="", p__unreached="")
    for file in ("p/table.json", "p/deep/words.txt", "p/.table.json.swp", "p/__pycache__/a.pyc", "other.txt"):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff one")
    before = closure("p.a", tmp_path)
    assert [*before] == ["p", "p.a", "p.b", "p/deep/words.txt", "p/table.json"]
    (tmp_path / "p" / "table.json").write_text("two")
    after = closure("p.a", tmp_path)
    assert [name for name in after if after[name] != before[name]] == ["p/table.json"]
    assert [*closure("p.b", tmp_path)] == ["p", "p.b"]


def test_what_was_read_of_a_file_beside_a_module_once_is_answered_alike(tmp_path: Path) -> None:
    write(tmp_path, a="__file__\n")
    (tmp_path / "table.json").write_text("one")
    code = Code(tmp_path)
    before = code.closure("a")
    (tmp_path / "table.json").write_text("two")
    assert code.closure("a") == before != closure("a", tmp_path)


def test_what_was_analysed_before_is_taken_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, a="from . import b\nimport c as d\n", b="__file__\n", c="'x.y:z'\n")
    first = closure("a", tmp_path)
    monkeypatch.setattr("pipeline.closure._analyse", None)
    assert first == closure("a", tmp_path)
    write(tmp_path, c="'x.y:zz'\n")
    with pytest.raises(TypeError, match="not callable"):
        closure("a", tmp_path)


@pytest.mark.parametrize("end", ["", "x"])
@given(st.data())
def test_a_memory_that_is_damaged_is_not_made_use_of(end: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write(root, a="import b\n", b="x = 1\n")
        right = closure("a", root)
        memory = root / ".cache" / "analysed"
        content = memory.read_bytes() + end.encode()
        at = data.draw(st.integers(0, len(content) - 1))
        content = content[:at] + bytes([data.draw(st.integers(0, 255))]) + content[at + 1 :]
        memory.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        assert closure("a", root) == right
        assert closure("a", root) == right


def test_a_memory_in_whose_place_is_a_folder_is_done_without(tmp_path: Path) -> None:
    write(tmp_path, a="import b\n", b="x = 1\n")
    (tmp_path / ".cache" / "analysed").mkdir(parents=True)
    assert [*closure("a", tmp_path)] == ["a", "b"]


def test_a_byte_order_mark_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, a="x = 1\n")
    before = closure("a", tmp_path)
    write(tmp_path, a="\ufeffx = 1\n")
    assert closure("a", tmp_path) == before


def test_imports_in_a_circle_end(tmp_path: Path) -> None:
    write(tmp_path, a="import b\n", b="import a\n")
    assert list(closure("a", tmp_path)) == ["a", "b"]


@pytest.mark.parametrize(
    ("module", "said"), [("a", r"b\.py:2: this is not valid Python"), ("nowhere", "no module nowhere")]
)
def test_a_module_that_cannot_be_read_is_named(tmp_path: Path, module: str, said: str) -> None:
    write(tmp_path, a="import b\n", b="x = 1\ny = = 2\n")
    with pytest.raises(UserError, match=said):
        closure(module, tmp_path)


def pythons() -> list[str]:
    """Every Python from 3.11 on that is on PATH or under pyenv."""
    on_path = [path for minor in range(11, 20) if (path := shutil.which(f"python3.{minor}"))]
    installed = Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python")
    return sorted({*on_path, *map(str, installed)})


@pytest.mark.parametrize("python", pythons())
def test_fingerprints_are_the_same_under_every_python(python: str) -> None:
    script = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); from pipeline.closure import fingerprint; "
        "print(json.dumps([fingerprint(text) for text in json.load(sys.stdin)]))"
    )
    texts = json.dumps(list(FIXTURES.values()))
    done = subprocess.run(
        [python, "-c", script, str(ROOT)], input=texts, capture_output=True, text=True, check=False
    )
    if "pyenv: " in done.stderr:
        pytest.skip(f"{python} is a shim without a Python behind it")
    assert done.returncode == 0, done.stderr
    assert dict(zip(FIXTURES, json.loads(done.stdout), strict=True)) == DIGESTS


@pytest.mark.parametrize("stage", STAGES)
def test_the_closure_of_a_stage_is_narrow(stage: str) -> None:
    reached = {*closure(STAGES[stage].function.partition(":")[0], ROOT)}
    assert not reached & {f"experiments.{name}" for name in ("profile", "project", "stages", "__main__")}
    assert {name.partition(".")[0] for name in reached} == {"experiments"}
