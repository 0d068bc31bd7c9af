"""A worker of vLLM that counts the tokens which really go through a model and its draft, by hooks on them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from vllm.v1.spec_decode.llm_base_proposer import SpecDecodeBaseProposer
from vllm.v1.worker.cpu_model_runner import CPUModelRunner

from tts_eval.engines.vllm.cpu_worker import MendedWorker

NAME = f"{__name__}.CountingWorker"
_num_tokens: Counter[str] = Counter()


def _counted(owner: type[Any], name: str) -> None:
    """Have the model that `owner` loads count, under `name`, the tokens it reads."""
    load_model = owner.load_model

    def load_and_count(self: Any, *args: Any, **kwargs: Any) -> None:
        def count(_module: Any, _args: Any, inputs: dict[str, Any]) -> None:
            _num_tokens[name] += inputs["input_ids"].shape[0]

        load_model(self, *args, **kwargs)
        self.model.register_forward_pre_hook(count, with_kwargs=True)

    owner.load_model = load_and_count


_counted(CPUModelRunner, "target")
_counted(SpecDecodeBaseProposer, "draft")


class CountingWorker(MendedWorker):
    """Answers how many tokens were read so far."""

    def num_tokens_read(self) -> dict[str, int]:
        """Return the tokens of all forward passes, of the target and of the draft."""
        return dict(_num_tokens)
