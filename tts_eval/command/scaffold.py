"""The first files of a strategy, a verifier or a task, filled in from `templates/`."""

from __future__ import annotations

import builtins
import keyword
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from hydra.core.override_parser.overrides_parser import OverridesParser

from tts_eval.command.checkout import SHELVES
from tts_eval.model import PROJECT_ROOT
from tts_eval.options import option_names

TEMPLATES = Path(__file__).parent / "templates"
SHELF_OF = dict(zip(("strategy", "verifier", "task"), SHELVES, strict=True))
KINDS = tuple(SHELF_OF)
MAX_NAME = 32  # longer ones would not fit on a line of the templates


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where the files go: paths relative to `root`, and what the package of the module is called.

    `once` are further files that the package needs, by the template of each; those that exist are kept.
    """

    root: Path
    package: str
    modules: Path
    conf: Path
    tests: Path
    once: tuple[tuple[Path, str], ...] = ()
    is_ours: bool = False


def checkout(kind: str) -> Home:
    """Return where this checkout has its strategies, verifiers or tasks; ValueError where there is none."""
    if not (PROJECT_ROOT / "pyproject.toml").is_file():
        raise ValueError("tts_eval is not run from a checkout; give --package=DIR, a package of your own")
    shelf = SHELF_OF[kind]
    return Home(
        root=PROJECT_ROOT,
        package=shelf,
        modules=Path(shelf),
        conf=Path("conf"),
        tests=Path("tests") / shelf,
        is_ours=True,
    )


def package(kind: str, folder: Path) -> Home:
    """Return where the package in `folder`, which may yet have to be made, has what is of `kind`.

    Tests go beside the nearest pyproject.toml above it, or beside the package where there is none.
    """
    folder = folder.expanduser().resolve()
    top = folder
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    dotted = ".".join(folder.relative_to(top.parent).parts)
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in dotted.split(".")):
        raise ValueError(f"--package must be a folder that Python can import (got {str(folder)!r})")
    if dotted.split(".")[0] in ("tts_eval", "conf", "tests", *SHELVES):
        raise ValueError(f"--package must be a package of your own, not {dotted!r}")
    root = next((above for above in top.parents if (above / "pyproject.toml").is_file()), top.parent)
    modules = folder.relative_to(root)
    plugin = top.parent.relative_to(root) / "hydra_plugins" / f"{dotted.replace('.', '_')}_searchpath"
    return Home(
        root=root,
        package=dotted,
        modules=modules,
        conf=modules / "conf",
        tests=Path("tests"),
        once=(
            (modules / "__init__.py", "package.py.tmpl"),
            (modules / "conf" / "__init__.py", "conf.py.tmpl"),
            (plugin / "__init__.py", "searchpath.py.tmpl"),
        ),
    )


def scaffold(kind: str, name: str, home: Home) -> str:
    """Write module, YAML and test of the `kind` called `name`; return their paths and how to go on.

    Raises ValueError, before anything is written, for a name that cannot be one or that is taken.
    """
    files = {
        home.modules / f"{name}.py": f"{kind}.py.tmpl",
        home.conf / kind / f"{name}.yaml": f"{kind}.yaml.tmpl",
        home.tests / f"test_{name}.py": f"test_{kind}.py.tmpl",
    }
    _check_name(kind, name)
    if taken := next(_taken(kind, name, tuple(files), home), None):
        raise ValueError(f"{taken}: choose another name than {name!r}")
    files |= {path: template for path, template in home.once if not (home.root / path).exists()}
    test = home.tests / f"test_{name}.py"
    above, below = _own_import(name, home)
    words = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "Class": _class_name(name),
        "package": home.package,
        "Package": _class_name(home.package.replace(".", "_")),
        "yaml": (home.conf / kind / f"{name}.yaml").as_posix(),
        "depth": len(test.parts) - 1,
        "above": above,
        "below": below,
    }
    for path, template in files.items():
        (home.root / path).parent.mkdir(parents=True, exist_ok=True)
        with (home.root / path).open("x", encoding="utf-8") as file:
            file.write(_template(template).substitute(words))
    enter = [] if Path.cwd() == home.root else [f"cd {shlex.quote(os.path.relpath(home.root))}"]
    test_it = f"python -m pytest {shlex.quote(test.as_posix())}"
    run_it = f"python -m tts_eval {kind}={name}"
    return "\n".join([*(f"wrote {path}" for path in files), "next:", *enter, test_it, run_it])


def _check_name(kind: str, name: str) -> None:
    """Raise ValueError for a name that Python, the command line or the template cannot use."""
    if keyword.iskeyword(name):
        raise ValueError(f"NAME must not be a Python keyword (got {name!r})")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or len(name) > MAX_NAME:
        raise ValueError(
            f"NAME must be a Python identifier in lower case of at most {MAX_NAME} characters, as in "
            f"shortest_vote (got {name!r})"
        )
    if OverridesParser.create().parse_override(f"{kind}={name}").value() != name:
        raise ValueError(f"NAME must not be {name!r}: Hydra does not read {kind}={name} as a name")
    class_name = _class_name(name)
    used = _template(f"{kind}.py.tmpl").template + _template(f"test_{kind}.py.tmpl").template
    if hasattr(builtins, class_name) or re.search(rf"import .*\b{class_name}\b", used):
        raise ValueError(f"NAME must not be {name!r}: the files have another use for {class_name}")


def _taken(kind: str, name: str, files: tuple[Path, ...], home: Home) -> Iterator[str]:
    """Yield what already has one of the names that are to be given."""
    folder = files[0].with_suffix("")  # would hide the module
    for path in (*files, folder):
        if (home.root / path).exists() or path == home.conf:
            yield f"{path} exists"
    if name in option_names(kind):
        yield f"{kind}={name} is one of ours"
    if home.is_ours:
        alike = [file for top in ("tts_eval", *SHELVES) for file in (home.root / top).rglob(f"{name}.py")]
        if len(alike) > 1:  # tests/test_house.py: a third would not be found by its name
            yield f"{' and '.join(str(file.relative_to(home.root)) for file in alike)} exist"


def _own_import(name: str, home: Home) -> tuple[str, str]:
    """Return what a test has above and below its imports of tts_eval, in the order that isort gives them."""
    line = f"from {home.package}.{name} import {_class_name(name)}\n"
    if not home.is_ours:  # tts_eval is a third party there
        return "", f"\n{line}"
    return (f"\n{line}", "") if home.package < "tts_eval" else ("\n", line)


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _template(name: str) -> Template:
    return Template((TEMPLATES / name).read_text(encoding="utf-8"))
