"""A strategy, a verifier and a task that were just begun pass what a pull request has to pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tts_eval import new
from tts_eval.command import scaffold

NAMES = {"strategy": "second_guess", "verifier": "sure_share", "task": "three_factors"}
SHELVES = ("strategies", "verifiers", "tasks")


def python(*arguments: str, cwd: Path, path: str = "") -> str:
    """Run `python -m` in `cwd` and return what it printed; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, in which one of each kind was begun."""
    root = tmp_path_factory.mktemp("copy")
    for folder in ("tts_eval", "conf", *SHELVES):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tests").mkdir()
    for file in ("pyproject.toml", "tests/__init__.py", "tests/conftest.py"):
        shutil.copy(ROOT / file, root / file)
    for kind, name in NAMES.items():
        said = python("tts_eval.new", kind, name, cwd=root)
        assert f"python -m tts_eval {kind}={name}" in said.splitlines()
    return root


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stranger's package, which the same commands made."""
    root = tmp_path_factory.mktemp("stranger")
    for kind, name in NAMES.items():
        python("tts_eval.new", kind, name, "--package", "methods", cwd=root, path=str(ROOT))
    return root


def written(root: Path) -> list[Path]:
    files = (file for name in NAMES.values() for file in root.rglob(f"*{name}.py"))
    return sorted(file.relative_to(root) for file in files)


def test_their_tests_pass_in_a_checkout(checkout: Path) -> None:
    assert len(written(checkout)) == 6
    said = python("pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=checkout)
    assert " passed" in said


def test_ruff_finds_nothing_to_do(checkout: Path) -> None:
    files = list(map(str, written(checkout)))
    python("ruff", "check", "--no-cache", *files, cwd=checkout)
    python("ruff", "format", "--no-cache", "--check", *files, cwd=checkout)


@pytest.mark.slow
def test_mypy_finds_nothing(checkout: Path) -> None:
    files = map(str, written(checkout))
    python("mypy", "--cache-dir", os.devnull, "--follow-imports=silent", *files, cwd=checkout)


def test_so_it_is_in_a_package_outside(package: Path) -> None:
    assert len(written(package)) == 6
    path = os.pathsep.join((str(ROOT), str(package)))
    python("pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=package, path=path)
    python("ruff", "check", "--no-cache", "--isolated", ".", cwd=package)
    python("ruff", "format", "--no-cache", "--isolated", "--check", ".", cwd=package)


def test_the_program_finds_it_there(package: Path, tmp_path: Path) -> None:
    path = os.pathsep.join((str(ROOT), str(package)))
    show = ("tts_eval", "--cfg", "job", "strategy=second_guess", "verifier=sure_share", "task=three_factors")
    said = python(*show, cwd=tmp_path, path=path)

    assert "  _target_: methods.second_guess.SecondGuess" in said.splitlines()
    assert "  _target_: methods.three_factors.ThreeFactors" in said.splitlines()


def test_tests_go_beside_the_pyproject_of_a_package(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    home = scaffold.package("task", tmp_path / "src" / "methods")
    scaffold.scaffold("task", "three_factors", home)

    made = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.*") if file.is_file()}
    assert made == {
        "pyproject.toml",
        "src/methods/__init__.py",
        "src/methods/three_factors.py",
        "src/methods/conf/__init__.py",
        "src/methods/conf/task/three_factors.yaml",
        "src/hydra_plugins/methods_searchpath/__init__.py",
        "tests/test_three_factors.py",
    }


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("strategy", "cot", "strategies/cot.py exists: choose another name than 'cot'"),
        ("strategy", "deepconf", "tests/strategies/test_deepconf.py exists: choose another name than"),
        ("verifier", "pocket_prm", "conf/verifier/pocket_prm.yaml exists: choose another name than"),
        ("verifier", "class", "NAME must not be a Python keyword (got 'class')"),
        ("task", "MyTask", "NAME must be a Python identifier in lower case of at most 32 characters, as in"),
        ("task", "2fast", "NAME must be a Python identifier in lower case of at most 32 characters, as in"),
        ("task", "../task", "NAME must be a Python identifier in lower case of at most 32 characters, as in"),
        ("strategy", "nan", "NAME must not be 'nan': Hydra does not read strategy=nan as a name"),
        ("strategy", "candidate", "NAME must not be 'candidate': the files have another use for Candidate"),
        ("task", "warning", "NAME must not be 'warning': the files have another use for Warning"),
    ],
)
def test_a_name_that_cannot_be_one_writes_nothing(
    kind: str, name: str, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: pytest.fail("something is being written"))

    assert new.main([kind, name]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"tts_eval.new: {says}")
    assert (said.out, said.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("name", "says"), [("cot", "strategy=cot is one of ours"), ("conf", "conf exists"), ("search", "exists")]
)
def test_a_name_that_would_hide_or_be_hidden_is_taken(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "methods" / "search").mkdir(parents=True)
    home = scaffold.package("strategy", tmp_path / "methods")

    with pytest.raises(ValueError, match=f"{says}: choose another name than '{name}'"):
        scaffold.scaffold("strategy", name, home)


def test_without_a_checkout_there_has_to_be_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scaffold, "PROJECT_ROOT", tmp_path)

    with pytest.raises(ValueError, match="not run from a checkout; give --package=DIR"):
        scaffold.checkout("strategy")


def test_what_exists_is_never_overwritten(package: Path) -> None:
    (package / "methods" / "conf" / "strategy" / "mine.yaml").write_text("mine")
    home = scaffold.package("strategy", package / "methods")

    with pytest.raises(ValueError, match=r"mine\.yaml exists"):
        scaffold.scaffold("strategy", "mine", home)
    assert not (package / "methods" / "mine.py").exists()


@pytest.mark.parametrize("folder", ["strategies", "my-methods", "import"])
def test_a_package_has_to_be_ones_own(folder: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--package must be"):
        scaffold.package("strategy", tmp_path / folder)
    assert list(tmp_path.iterdir()) == []
