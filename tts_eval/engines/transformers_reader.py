"""A reward model read by plain transformers: the reference that vLLM is held against, and its fallback.

One forward pass over all tokens for each request, one at a time, no cache.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self

from tts_eval import checks
from tts_eval.devices.visible import TooFewGpus
from tts_eval.engines.label_tokens import label_ids
from tts_eval.engines.protocol import Capabilities, EngineSettings
from tts_eval.model import Model
from tts_eval.requests import EngineFacts, Gauges, Pooled, PoolingRequest

if TYPE_CHECKING:
    import torch

DEFAULT_MEMORY_SHARE = 0.9
NAMES = ("auto", "float32", "float16", "bfloat16")


@dataclass(frozen=True)
class TransformersReader(EngineSettings):
    """Settings of the reader; `device` None is a GPU if there is one, `dtype` None the model's.

    `gpu_memory_utilization` is the most of that GPU's memory that it may take. `first_gpu` is the number of
    its GPU among those visible.
    With `label_tokens` a language model is read as a classifier: its labels are the rows of lm_head for them.
    """

    device: str | None = None
    dtype: str | None = None
    label_tokens: tuple[str, ...] = ()
    gpu_memory_utilization: float | None = None
    first_gpu: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "label_tokens", tuple(self.label_tokens))
        if self.dtype is not None:
            checks.one_of("engine.dtype", self.dtype, NAMES)
        if self.gpu_memory_utilization is not None:
            checks.number(
                "engine.gpu_memory_utilization", self.gpu_memory_utilization, minimum=0.01, maximum=1.0
            )

    @property
    def label(self) -> str:
        """What messages call it."""
        return "transformers"

    @property
    def capabilities(self) -> Capabilities:
        """It reads, and nothing else."""
        return Capabilities(samples=False, reads=True, streams=False, aborts=False, gauges=False)

    @property
    def is_on_cpu(self) -> bool:
        """Whether it reads on the processors of the machine."""
        import torch

        return self.device == "cpu" or not torch.cuda.device_count()  # starts no CUDA, as is_available would

    @property
    def memory_share(self) -> float:
        """The most of its GPU's memory that it may take; 0 on CPU."""
        return 0.0 if self.is_on_cpu else self.gpu_memory_utilization or DEFAULT_MEMORY_SHARE

    @property
    def states_memory_share(self) -> bool:
        """Whether the share is the user's own."""
        return self.gpu_memory_utilization is not None

    def with_memory_share(self, share: float) -> Self:
        """Return the settings with a share of the GPU's memory."""
        return self if self.is_on_cpu else replace(self, gpu_memory_utilization=share)

    def placed(self, first_gpu: int) -> Self:
        """Return the settings on GPU number `first_gpu`; on CPU, and with a `device`, nothing is placed."""
        return self if self.is_on_cpu or self.device else replace(self, first_gpu=first_gpu)

    def check(self, model: Model) -> None:
        """Reject a GPU that is not there, a model without configuration, labels its tokenizer has not."""
        if not self.is_on_cpu:
            import torch

            num_gpus = torch.cuda.device_count()
            if self.first_gpu >= num_gpus:
                raise TooFewGpus(
                    f"engine=transformers needs a GPU beside the {self.first_gpu} of other engines, but this "
                    f"machine has {num_gpus} that this process may use"
                )
        self.model_len(model)
        label_ids(model, self.label_tokens)

    def model_len(self, model: Model) -> int:
        """Return the longest text, in tokens."""
        longest = int(model.architecture().get_text_config().max_position_embeddings)
        return min(model.max_model_len or longest, longest)

    @asynccontextmanager
    async def start(self, model: Model) -> AsyncIterator[Reader]:
        """Load the weights, yield the reader, and let them go."""
        import torch

        started_s = time.monotonic()
        device = self.device or ("cpu" if self.is_on_cpu else f"cuda:{self.first_gpu}")
        if not self.is_on_cpu:
            torch.cuda.set_per_process_memory_fraction(self.memory_share, torch.device(device))
        layers, head = _load(model, self.dtype or model.dtype, self.label_tokens)
        facts = EngineFacts(
            name="transformers",
            version=version("transformers"),
            device=torch.device(device).type,
            num_gpus=1,
            max_model_len=self.model_len(model),
            startup_s=time.monotonic() - started_s,
        )
        try:
            yield Reader(facts, layers.to(device).eval(), head.to(device).eval())
        finally:
            del layers, head
            if not self.is_on_cpu:
                torch.cuda.empty_cache()


@dataclass(frozen=True)
class Reader:
    """Layers that give a hidden state a token, and the head that is read there."""

    facts: EngineFacts
    layers: Any
    head: Any
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def gauges(self) -> Gauges:
        """Return nothing: there is no scheduler."""
        return Gauges()

    async def forget(self) -> None:
        """Nothing is cached."""

    async def pool(self, request: PoolingRequest) -> Pooled:
        """Return the head's logits at every token."""
        async with self._turn:
            rows = await asyncio.to_thread(self._read, request.token_ids)
        return Pooled(tuple(map(tuple, rows)))

    def _read(self, token_ids: tuple[int, ...]) -> list[list[float]]:
        import torch

        with torch.inference_mode():
            ids = torch.tensor([token_ids], device=next(self.layers.parameters()).device)
            hidden = self.layers(input_ids=ids, use_cache=False).last_hidden_state[0]
            rows: list[list[float]] = (
                self.head(hidden.to(next(self.head.parameters()).dtype)).float().tolist()
            )
        return rows


def _load(model: Model, dtype: str, label_tokens: tuple[str, ...]) -> tuple[Any, Any]:
    """Return the layers and the head of a checkpoint, whichever kind of head it has."""
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification

    def load(auto_class: Any) -> Any:
        return auto_class.from_pretrained(
            model.location, revision=model.revision, dtype=dtype, trust_remote_code=model.trust_remote_code
        )

    if label_tokens:
        lm = load(AutoModelForCausalLM)
        rows = lm.get_output_embeddings().weight[label_ids(model, label_tokens)]
        return lm.base_model, _linear(rows.detach(), None)
    [architecture, *_] = model.architecture().architectures
    if architecture.endswith("ForSequenceClassification"):
        classifier = load(AutoModelForSequenceClassification)
        return classifier.base_model, classifier.score
    if architecture not in HEADS:
        raise ValueError(
            f"engine=transformers knows no head of {architecture}; allowed: {', '.join(HEADS)}, "
            f"*ForSequenceClassification, or a language model with engine.label_tokens"
        )
    layers = load(AutoModel)
    return layers, HEADS[architecture](model).to(layers.dtype)


def _two_layers(model: Model) -> Any:
    """Qwen2.5-Math-PRM's head."""
    from torch import nn

    first, second = (_linear(*_tensors(model, f"score.{i}.weight", f"score.{i}.bias")) for i in (0, 2))
    return nn.Sequential(first, nn.ReLU(), second)


def _value(model: Model) -> Any:
    """Skywork-o1-Open-PRM's head."""
    return _linear(*_tensors(model, "v_head.summary.weight", "v_head.summary.bias"))


HEADS: dict[str, Callable[[Model], Any]] = {
    "Qwen2ForProcessRewardModel": _two_layers,
    "Qwen2ForPrmModel": _value,
}


def _linear(weight: torch.Tensor, bias: torch.Tensor | None) -> Any:
    from torch import nn

    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=weight.dtype)
    layer.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias, requires_grad=False)
    return layer


def _tensors(model: Model, *names: str) -> list[torch.Tensor]:
    """Read tensors out of the checkpoint's safetensors files by name."""
    from pathlib import Path

    from huggingface_hub import snapshot_download
    from safetensors import safe_open

    folder = Path(model.location)
    if not folder.is_dir():
        folder = Path(snapshot_download(model.path, revision=model.revision, allow_patterns="*.safetensors"))
    found: dict[str, torch.Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as weights:
            found |= {name: weights.get_tensor(name) for name in names if name in set(weights.keys())}
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"the checkpoint of {model.name} has no {', '.join(missing)}")
    return [found[name] for name in names]
