"""Which versions of vLLM's CUDA build take our arguments: `python requirements/check_vllm.py [VERSION ...]`.

Wheels weigh 400 MB and more, nearly all of it kernels. Of each version's wheel only its Python files are
read, in ranges; its own `AsyncEngineArgs` is built from our argument sets in a process of its own, with the
torch and transformers that are installed here. What we call or replace besides is looked up in the source.
Exit code 1 unless every version takes everything.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
MAX_GAP_BYTES = 1 << 20  # fetched along rather than with a request of its own
USED = {  # file -> class -> what we call or replace
    "v1/engine/core.py": {"EngineCoreProc": ["run_engine_core"]},
    "v1/engine/coordinator.py": {"DPCoordinatorProc": ["run_coordinator"]},
    "v1/executor/multiproc_executor.py": {"WorkerProc": ["worker_main"]},
    "v1/engine/async_llm.py": {
        "AsyncLLM": [
            "from_engine_args",
            "shutdown",
            "generate",
            "encode",
            "abort",
            "reset_prefix_cache",
            "sleep",
        ]
    },
    "usage/usage_lib.py": {"UsageContext": ["OPENAI_API_SERVER"]},
}
VARIABLES = (
    "VLLM_WORKER_MULTIPROC_METHOD",
    "VLLM_USE_FLASHINFER_SAMPLER",
    "VLLM_USE_V2_MODEL_RUNNER",
    "VLLM_NO_USAGE_STATS",
    "VLLM_LOGGING_LEVEL",
)


def wheels() -> dict[Version, str]:
    """Return the address of each version's wheel for x86-64 on the index that pip uses."""
    index = os.environ.get("PIP_INDEX_URL") or _pip_setting("global.index-url") or "https://pypi.org/simple"
    accepts = {"Accept": "application/vnd.pypi.simple.v1+json"}
    with urllib.request.urlopen(
        urllib.request.Request(index.rstrip("/") + "/vllm/", headers=accepts)
    ) as page:
        files, address = json.load(page)["files"], page.url
    found = {}
    for file in files:
        if file["filename"].endswith("x86_64.whl"):
            _, version, _, _ = parse_wheel_filename(file["filename"])
            found[version] = urljoin(address, file["url"])
    return found


def _pip_setting(name: str) -> str:
    asked = [sys.executable, "-m", "pip", "config", "get", name]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip()


def fetch_python(address: str, folder: Path) -> None:
    """Unpack the Python files of the wheel at `address` into `folder`."""
    with tempfile.TemporaryFile() as sparse:
        end = _fetch(address, "-4194304", sparse)  # the list of its files stands last
        sparse.truncate(end)
        with zipfile.ZipFile(sparse) as wheel:
            wanted = [info for info in wheel.infolist() if info.filename.endswith((".py", "METADATA"))]
            for first, last in _ranges(wanted):
                _fetch(address, f"{first}-{last}", sparse)
            wheel.extractall(folder, wanted)


def _ranges(wanted: list[zipfile.ZipInfo]) -> Iterator[tuple[int, int]]:
    spans = sorted(
        (i.header_offset, i.header_offset + i.compress_size + len(i.filename) + 256) for i in wanted
    )
    first, last = spans[0]
    for start, end in spans[1:]:
        if start > last + MAX_GAP_BYTES:
            yield first, last
            first = start
        last = max(last, end)
    yield first, last


def _fetch(address: str, span: str, into: object) -> int:
    """Write a range of the file to its place; return the length of the whole."""
    request = urllib.request.Request(address, headers={"Range": f"bytes={span}"})
    with urllib.request.urlopen(request, timeout=300) as part:
        if part.status != 206:
            raise SystemExit("the index does not send parts of a file")
        place, _, length = part.headers["Content-Range"].removeprefix("bytes ").partition("/")
        into.seek(int(place.partition("-")[0]))  # type: ignore[attr-defined]
        into.write(part.read())  # type: ignore[attr-defined]
    return int(length)


def missing(package: Path) -> list[str]:
    """Return what we use of vLLM and this version has not."""
    found = []
    for file, classes in USED.items():
        tree = ast.parse((package / file).read_text(encoding="utf-8"))
        bodies = {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
        for name, members in classes.items():
            own = {getattr(node, "name", None) for node in bodies.get(name, [])}
            own |= {
                t.id
                for n in bodies.get(name, [])
                if isinstance(n, ast.Assign)
                for t in n.targets
                if isinstance(t, ast.Name)
            }
            found += [f"{name}.{member}" for member in members if member not in own]
    variables = (package / "envs.py").read_text(encoding="utf-8")
    return found + [name for name in VARIABLES if f'"{name}"' not in variables]


BUILD = """
import json, sys
from vllm.engine.arg_utils import AsyncEngineArgs
for arguments in json.load(sys.stdin):
    AsyncEngineArgs(**arguments)
"""


def argument_sets() -> list[dict[str, object]]:
    """Return the arguments of engines of every kind, as on a machine with GPUs."""
    from tts_eval.engines.vllm import platform
    from tts_eval.engines.vllm.settings import VllmEngine
    from tts_eval.model import Model

    platform.installed = lambda: ("vllm", "0.0")  # the CUDA build's arguments, without CPU defaults
    pocket = Model("pocket", "pocket/reasoner", thinking_start="<think>", thinking_end="</think>")
    prm = Model("pocket_prm", "pocket/prm", dtype="float32")
    pooling = {"runner": "pooling", "pooler_config": {"tok_pooling_type": "ALL"}}
    ngram = {"method": "ngram", "num_speculative_tokens": 4, "prompt_lookup_max": 4, "prompt_lookup_min": 2}
    draft = {"method": "draft_model", "model": "pocket/draft", "num_speculative_tokens": 4}
    engines = [
        (pocket, VllmEngine()),
        (pocket, VllmEngine(tensor_parallel_size=2, pipeline_parallel_size=2, data_parallel_size=2)),
        (pocket, VllmEngine(enable_expert_parallel=True, kv_cache_dtype="fp8", scheduling_policy="priority")),
        (pocket, VllmEngine(gpu_memory_utilization=0.3, kv_cache_memory_bytes=1 << 30, enforce_eager=True)),
        (pocket, VllmEngine(ends_thinking=True, max_num_seqs=64, max_num_batched_tokens=4096)),
        (pocket, VllmEngine(speculative_config=ngram)),
        (pocket, VllmEngine(speculative_config=draft)),
        (pocket, VllmEngine.configure(load_format="dummy", enable_sleep_mode=True)),
        (prm, VllmEngine.configure(**pooling)),
        (pocket, VllmEngine.configure(**pooling, label_tokens=(" 1", " 2"))),
    ]
    sets = [engine.arguments(model) for model, engine in engines]
    for arguments in sets:
        arguments.pop("per_request_spec_decode_metrics", None)  # given only to versions that have it
    return sets


def main(versions: list[str]) -> int:
    """Check `versions`, or all that pyproject.toml allows; 1 unless all of them take everything."""
    allowed, found = SpecifierSet(">=0.26,<0.34"), wheels()
    chosen = [v for v in sorted(found) if (str(v) in versions if versions else v in allowed)]
    sets, status = json.dumps(argument_sets(), default=list), 0
    for version in chosen:
        with tempfile.TemporaryDirectory() as folder:
            fetch_python(found[version], Path(folder))
            lacks = missing(Path(folder, "vllm"))
            built = subprocess.run(
                [sys.executable, "-c", BUILD],
                input=sets,
                capture_output=True,
                text=True,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": folder, "VLLM_LOGGING_LEVEL": "ERROR"},
            )
        last = (built.stderr.strip().splitlines() or ["?"])[-1]
        taken = "arguments taken" if built.returncode == 0 else last
        print(f"vllm {version}: {taken}; lacks {', '.join(lacks) or 'nothing'}", flush=True)
        status |= bool(built.returncode or lacks)
    return status


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
