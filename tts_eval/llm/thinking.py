r"""Where the thinking part of a trace starts and ends, decided on token ids.

A marker may be one token, several, or merge with what follows it (`>\n\n` in one token). A token in which
the end marker ends counts as the last of the thinking; what else it says is the answer's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tts_eval.llm.markings import Marking, Opening
from tts_eval.records import Finish, Trace


class Tokens(Protocol):
    """What is asked of a tokenizer to find a marker in token ids."""

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the token ids of `text`."""

    def decode(self, token_ids: Sequence[int]) -> str:
        """Return the text of `token_ids`, turn markers left out."""

    def spell(self, token_ids: Sequence[int]) -> str:
        """Return the text of `token_ids` with one private character for each added token.

        So `</think>` written letter by letter is never taken for the token of that name.
        """

    def spoken(self, token_ids: Sequence[int]) -> str:
        """Return the text of `token_ids` without any special token."""

    def ending_with(self, character: str) -> Collection[int]:
        """Return the tokens in which `character`, of a spelled text, can be found."""


@dataclass(frozen=True, slots=True)
class Place:
    """The tokens `first` to `end` (exclusive) hold a marker, and besides it say `before` and `after`."""

    first: int = 0
    end: int = 0
    before: str = ""
    after: str = ""


class ThinkingPart:
    """How one model opens and closes its thinking; a `marking` of None: it does not think.

    `openings` are the ends of its rendered prompts, as ids, and what each leaves the model in.
    """

    def __init__(
        self, marking: Marking | None, tokens: Tokens, openings: Mapping[tuple[int, ...], Opening]
    ) -> None:
        self._marking = marking
        self._tokens = tokens
        self._openings = openings
        self._longest = max(map(len, openings), default=0)
        if marking is not None:
            self._start = _Marker(marking.start, tokens)
            self._end = _Marker(marking.end, tokens)
            written, end, _ = marking.closing.lstrip("\n").partition(marking.end)
            self._closing = _Marker(written + end, tokens)

    def answer_start(self, trace: Trace) -> int | None:
        """Return how many of the trace's tokens come before its answer, None while it still thinks."""
        closed = self._closed(trace)
        return None if closed is None else closed.end

    def said(self, trace: Trace) -> str:
        """Return what is said after the thinking, without special tokens; nothing while it still thinks."""
        closed = self._closed(trace)
        if closed is None:
            return ""
        return (closed.after + self._tokens.spoken(trace.token_ids[closed.end :])).strip()

    def answer_at(self, trace: Trace) -> int | None:
        """Return where in the trace's text its answer begins, None while it still thinks."""
        closed = self._closed(trace)
        if closed is None:
            return None
        if closed.end == 0:
            return 0
        answer = closed.after + self._tokens.decode(trace.token_ids[closed.end :])
        return max(0, len(trace.text) - len(answer))

    def reopened(self, trace: Trace) -> Trace:
        """Return the trace up to where its thinking ended, or began to, without the marker."""
        closed = self._closed(trace)
        if closed is None:
            return self._without_begun_end(trace)
        if closed.end == 0:
            return trace
        thoughts = trace.first(closed.first) + closed.before
        assert self._marking is not None
        if not self._marking.is_announced:
            return thoughts
        return thoughts.removesuffix(self._marking.closing.removesuffix(self._marking.end))

    def _without_begun_end(self, trace: Trace) -> Trace:
        """Return a trace that thinks without the beginning, `</thi`, of an end at which it was cut."""
        begun = self._closing.begun_in(trace.token_ids)
        return trace if begun is None else trace.first(begun.first) + begun.before

    def num_thoughts(self, trace: Trace) -> int:
        """Return how many tokens the thinking has, its markers not counted."""
        closed = self._closed(trace)
        if self._marking is None or (closed is not None and closed.end == 0):
            return 0
        last = trace.num_tokens if closed is None else closed.first
        opened = self._start.find(trace.token_ids[:last])
        return last - (opened.end if opened and self.opening(trace.prompt_ids) is Opening.FREE else 0)

    def opening(self, prompt_ids: tuple[int, ...]) -> Opening:
        """Return what a prompt leaves the model in.

        Only its end is looked at, which is the chat template's: a question may be about markers.
        """
        for tail, opening in self._openings.items():
            if tail and prompt_ids[-len(tail) :] == tail:
                return opening
        tail = prompt_ids[
            len(prompt_ids) - self._longest :
        ]  # its first token may have merged with the question
        if self._end.last(tail) > self._start.last(tail):
            return Opening.ANSWER
        return Opening.THINKING if self._start.last(tail) >= 0 else Opening.FREE

    def _closed(self, trace: Trace) -> Place | None:
        """Return where the thinking ended, at the start of the trace if there was none; None within it.

        An end counts where something is open; after it, the answer lasts until thinking is opened again.
        """
        if self._marking is None:
            return Place()
        ids, opening = trace.token_ids, self.opening(trace.prompt_ids)
        closed: Place | None = Place() if opening is Opening.ANSWER else None
        begin = 0
        while True:
            marker = self._end if closed is None else self._start
            found = marker.find(ids, begin)
            if found is None:
                break
            closed, begin = found if closed is None else None, found.end
        if closed is None and begin == 0 and opening is Opening.FREE and self._answers_at_once(trace):
            return Place()
        return closed

    def _answers_at_once(self, trace: Trace) -> bool:
        """Whether a trace without an end of thinking, free to begin with its answer, has begun with it."""
        assert self._marking is not None
        if self._marking.is_announced or self._start.find(trace.token_ids) is not None:
            return False
        if trace.finish is Finish.END:
            return True
        first = self._tokens.spell(trace.token_ids[: self._start.width + 1]).lstrip()
        return bool(first) and not self._start.spelled.startswith(first)


class _Marker:
    """One marker as it is found in token ids, however the tokenizer divides it there."""

    def __init__(self, text: str, tokens: Tokens) -> None:
        ids = tokens.encode(text)
        self.spelled = tokens.spell(ids)
        self.width = max(len(ids), len(self.spelled.encode()))  # tokens, of a byte each if it comes to that
        self._tokens = tokens
        self._ends = tokens.ending_with(self.spelled[-1]) if self.spelled else ()

    def find(self, token_ids: tuple[int, ...], begin: int = 0) -> Place | None:
        """Return the first place of the marker from `begin` on, None without one."""
        spell = self._tokens.spell
        for last in self._candidates(token_ids, begin):
            window = token_ids[max(begin, last + 1 - self.width) : last + 1]
            if self.spelled not in spell(window):
                continue
            first = last
            while self.spelled not in (text := spell(token_ids[first : last + 1])):
                first -= 1
            before, _, after = text.partition(self.spelled)
            return Place(first, last + 1, before, after)
        return None

    def begun_in(self, token_ids: tuple[int, ...]) -> Place | None:
        """Return the place of a marker that has only begun where the tokens end, None without one."""
        text = self._tokens.spell(token_ids[-self.width :])
        length = next((n for n in range(len(self.spelled) - 1, 0, -1) if text.endswith(self.spelled[:n])), 0)
        if not length:
            return None
        first = len(token_ids) - 1
        while not (text := self._tokens.spell(token_ids[first:])).endswith(self.spelled[:length]):
            first -= 1
        return Place(first, len(token_ids), text[:-length])

    def last(self, token_ids: tuple[int, ...]) -> int:
        """Return where the last place of the marker ends, -1 without one."""
        end, place = -1, self.find(token_ids)
        while place is not None:
            end, place = place.end, self.find(token_ids, place.end)
        return end

    def _candidates(self, token_ids: tuple[int, ...], begin: int) -> Iterator[int]:
        """Yield the places of tokens in which the marker may end."""
        if len(self._ends) != 1:
            yield from (i for i in range(begin, len(token_ids)) if token_ids[i] in self._ends)
            return
        [only] = self._ends
        try:
            while True:  # index() of a tuple of ids is far faster than a loop, and traces are long
                begin = token_ids.index(only, begin) + 1
                yield begin - 1
        except ValueError:
            return
