"""How families of models mark their thinking: known markers, and which of them a chat template shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# What takes the place of a thought that is skipped: NoThinking (Ma et al., arXiv 2504.09858, section 2).
FINISHED_THINKING = "Okay, I think I have finished thinking."


class Opening(Enum):
    """What a prompt leaves the model in: its thinking, its answer, or free to begin either."""

    THINKING = "thinking"
    ANSWER = "answer"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Marking:
    """The markers of one family.

    `closing` is what the model writes between its last thought and its answer, `end` included. With
    `is_announced` an answer has its marker whether or not there was a thought: without it there is none.
    """

    start: str
    end: str
    closing: str
    is_announced: bool = False

    @classmethod
    def of(cls, start: str, end: str) -> Marking:
        """Return the known marking with these markers, or else one in the way of tags."""
        known = (marking for marking in KNOWN if (marking.start, marking.end) == (start, end))
        return next(known, cls(start, end, f"\n{end}\n\n"))

    @property
    def lead_in(self) -> str:
        """What ends the thinking from outside and opens a boxed answer."""
        return f"{self.closing}**Final Answer**\n\\boxed{{"

    def opening(self, text: str) -> Opening:
        """Return what `text`, the end of a rendered chat template, leaves the model in."""
        started, ended = text.rfind(self.start), text.rfind(self.end)
        if started == ended == -1:
            return Opening.FREE
        return Opening.THINKING if started > ended else Opening.ANSWER

    def skipped(self, text: str) -> str:
        """Return `text`, the end of a rendered chat template, thinking skipped as the model would."""
        if self.opening(text) is Opening.ANSWER:
            return text
        if self.is_announced:
            return text + (self.closing if self.opening(text) is Opening.THINKING else self.end)
        opened = text if self.opening(text) is Opening.THINKING else f"{text}{self.start}"
        return (opened if opened.endswith("\n") else f"{opened}\n") + FINISHED_THINKING + self.closing


KNOWN = (
    Marking("<think>", "</think>", "\n</think>\n\n"),
    Marking(  # the channels of the harmony format (gpt-oss)
        "<|channel|>analysis<|message|>",
        "<|channel|>final<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        is_announced=True,
    ),
    Marking("<|im_start|>think", "<|im_start|>answer", "\n<|im_start|>answer\n"),  # s1
    Marking("[THINK]", "[/THINK]", "[/THINK]"),  # Magistral
    Marking("<seed:think>", "</seed:think>", "\n</seed:think>\n\n"),  # Seed-OSS
    Marking("◁think▷", "◁/think▷", "\n◁/think▷\n\n"),  # Kimi-VL
    Marking(  # Sky-T1, OpenThinker
        "<|begin_of_thought|>",
        "<|end_of_thought|>",
        "\n<|end_of_thought|>\n\n<|begin_of_solution|>\n",
    ),
    Marking("<|START_THINKING|>", "<|END_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),  # Command A
    Marking("<thinking>", "</thinking>", "\n</thinking>\n\n"),
    Marking("<thought>", "</thought>", "\n</thought>\n\n"),
    Marking("<reasoning>", "</reasoning>", "\n</reasoning>\n\n"),
)


def shown_in(text: str) -> Marking | None:
    """Return the first known marking of which `text`, a chat template or a prompt, mentions a marker."""
    return next((marking for marking in KNOWN if marking.start in text or marking.end in text), None)
