"""What is found of each family, and where thinking ends in its token ids."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, normalizers
from tokenizers.models import BPE
from transformers import LlamaConfig, PreTrainedTokenizerFast

from tests.families.bench import BenchEngine
from tests.families.families import (
    ANSWER,
    BY_NAME,
    FAMILIES,
    NO_SYSTEM,
    TAGS,
    THOUGHT,
    Family,
    codec_of,
    configured,
    save_tokenizer,
)
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.llm.call import Served
from tts_eval.llm.markings import Opening
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.scripted import mathematics
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.meter import Meter
from tts_eval.model import Model
from tts_eval.records import Candidate, Finish, Problem

PROBLEM = Problem("p", "What is 6 x 7?", "42")
EVERY = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
THINKING = pytest.mark.parametrize(
    "family", [family for family in FAMILIES if family.thinking], ids=lambda family: family.name
)


def handle(family: Family, folder: Path, *, reply: str | None = None) -> tuple[MeteredModel, BenchEngine]:
    codec = codec_of(family, folder)
    engine = BenchEngine(family, codec, family.reply if reply is None else reply)
    ticks = iter(range(10**9))
    meter = Meter("p", lambda: float(next(ticks)))
    served = Served(codec.model, codec, engine)
    return MeteredModel({"policy": served}, meter, mathematics(), run_seed=0), engine


@EVERY
def test_markers_and_who_opens_the_thinking_are_found(family: Family, tmp_path: Path) -> None:
    model = codec_of(family, tmp_path).model
    assert (model.thinking_start, model.thinking_end) == (family.start, family.end)
    assert model.starts_thinking is family.is_opened
    assert model.answer_lead_in.endswith("\\boxed{")


@EVERY
async def test_thinking_and_answer_of_a_whole_reply(family: Family, tmp_path: Path) -> None:
    llm, _ = handle(family, tmp_path)
    [trace] = await llm.extend(llm.start(PROBLEM))
    assert trace.finish is Finish.END
    assert trace.said == ANSWER
    assert trace.text == family.text  # with the markers, without the end of the turn
    assert llm.answer(trace) == "42"
    assert trace.answer_start == family.num_thinking_tokens
    assert llm.meter.spend().num_thinking_tokens == family.num_thinking_tokens
    assert Candidate.of(trace, "42").said == ANSWER


@EVERY
async def test_text_does_not_depend_on_stop_strings(family: Family, tmp_path: Path) -> None:
    llm, _ = handle(family, tmp_path)
    [free], [stopped] = (
        await llm.extend(llm.start(PROBLEM)),
        await llm.extend(llm.start(PROBLEM), stop=["never met"]),
    )
    assert (free.text, free.token_ids) == (stopped.text, stopped.token_ids)


@EVERY
async def test_a_reply_cut_anywhere_within_its_thinking_has_no_answer(family: Family, tmp_path: Path) -> None:
    llm, _ = handle(family, tmp_path)
    for num_tokens in range(1, family.num_thinking_tokens):
        [trace] = await llm.extend(llm.start(PROBLEM), max_tokens=num_tokens)
        assert trace.is_thinking, trace.text
        assert (trace.said, llm.answer(trace)) == ("", None)
        assert Candidate.of(trace, None).answer_at is None
    expected = sum(range(family.num_thinking_tokens))
    assert llm.meter.spend().num_thinking_tokens == expected


@EVERY
async def test_pieces_say_what_the_whole_says(family: Family, tmp_path: Path) -> None:
    """Steps end at blank lines, which may merge with what stands before them; nothing is lost or doubled."""
    llm, _ = handle(family, tmp_path)
    trace = llm.start(PROBLEM)
    while trace.finish is not Finish.END:
        [trace] = await llm.extend(trace, stop=["\n\n"])
    assert trace.text == family.text
    assert trace.said == ANSWER
    assert llm.meter.spend().num_thinking_tokens == family.num_thinking_tokens


@THINKING
async def test_an_end_of_thinking_stops_and_can_be_taken_back(family: Family, tmp_path: Path) -> None:
    llm, _ = handle(family, tmp_path)
    [trace] = await llm.extend(llm.start(PROBLEM), stop=[str(family.end)])
    assert (trace.finish, trace.is_thinking) == (Finish.STOP, False)
    longer = trace.reopened()
    assert longer.is_thinking
    assert longer.text.rstrip().endswith(THOUGHT)
    [again] = await llm.extend(longer + llm.markers.wait)
    assert " ".join(f"{THOUGHT}\n{llm.markers.wait} so 42.".split()) in " ".join(again.text.split())
    assert again.said == ANSWER
    assert llm.answer(again) == "42"


@THINKING
async def test_a_forced_end_opens_an_answer(family: Family, tmp_path: Path) -> None:
    llm, _ = handle(family, tmp_path)
    [cut] = await llm.extend(llm.start(PROBLEM), max_tokens=family.num_thinking_tokens - 20)
    [forced] = await llm.extend(cut + llm.markers.answer_lead_in)
    assert llm.answer(forced) == "42"
    assert "41" not in forced.said


@EVERY
async def test_thinking_switched_off_is_written_as_the_model_would(family: Family, tmp_path: Path) -> None:
    llm, engine = handle(family, tmp_path)
    start = llm.start(PROBLEM, thinking=False)
    assert start.answer_start == 0
    [trace] = await llm.extend(start + llm.markers.answer_opening)
    assert llm.answer(trace) == "42"
    assert llm.meter.spend().num_thinking_tokens == 0
    written = engine.written(engine.requests[0])
    if family.end is not None:
        assert written.count(family.end) == 1
        assert family.name == "gpt_oss" or written.index(str(family.start)) < written.index(family.end)


def test_a_question_about_markers_opens_and_closes_nothing(tmp_path: Path) -> None:
    codec = codec_of(BY_NAME["qwen3"], tmp_path)
    for question in ("What does <think> do?", "And </think>"):
        assert codec.thinking.opening(codec.prompt(question)) is Opening.FREE
        assert codec.thinking.opening(codec.prompt(question, thinking=False)) is Opening.ANSWER


def test_a_marker_spelled_in_letters_is_no_marker(tmp_path: Path) -> None:
    codec = codec_of(BY_NAME["r1_distill_qwen"], tmp_path)
    spelled = tuple(token_id for letter in "so </think> is" for token_id in codec.encode(letter))
    llm, _ = handle(BY_NAME["r1_distill_qwen"], tmp_path)
    [trace] = [llm.start(PROBLEM)]
    assert type(trace)(trace.prompt_ids, codec, spelled, "so </think> is").is_thinking


def test_thinking_that_is_opened_again_must_end_again(tmp_path: Path) -> None:
    llm, _ = handle(BY_NAME["qwen3"], tmp_path)
    trace = llm.start(PROBLEM) + "<think>a</think>b<think>c"
    assert trace.is_thinking
    assert (trace + "</think>d").said == "d"
    assert (llm.start(PROBLEM) + "<think>a</think>b</think>").said == "b</think>"


def contradiction(family: str, folder: Path, **settings: object) -> str:
    save_tokenizer(BY_NAME[family], folder)
    model = replace(configured(BY_NAME[family], folder), **settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError) as raised:
        Codec(model).check(["What is 6 x 7?"])
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_setting_that_contradicts_the_prompt_is_refused(tmp_path: Path) -> None:
    opened = contradiction("r1_distill_qwen", tmp_path, starts_thinking=False)
    assert opened == (
        "model.starts_thinking=false, but the prompt of 'r1_distill_qwen' ends in "
        "'<｜Assistant｜><think>\\n', which opens the thinking; leave model.starts_thinking out"
    )
    free = contradiction("qwen3", tmp_path, starts_thinking=True)
    assert "model.starts_thinking=true, but the prompt of 'qwen3' ends in" in free
    assert "does not open the thinking" in free
    null = contradiction("qwq", tmp_path, thinking_start=None, thinking_end=None)
    assert "model.thinking_start=null, but the prompt" in null
    other = contradiction("olmo_think", tmp_path, thinking_start="<reason>", thinking_end="</reason>")
    assert "model.thinking_start=<reason>, but the prompt" in other


@EVERY
def test_what_a_family_is_configured_as_is_no_contradiction(family: Family, tmp_path: Path) -> None:
    codec_of(family, tmp_path).check(["What is 6 x 7?", "Über 5 € … 𝛑?"])


def test_a_template_without_a_system_role_is_refused_in_one_line(tmp_path: Path) -> None:
    gemma = replace(BY_NAME["smollm2"], template=NO_SYSTEM, settings={"system_prompt": "Be brief."})
    with pytest.raises(
        ValueError, match=r"^the chat template of 'smollm2' does not take .*system_prompt=null$"
    ):
        codec_of(gemma, tmp_path)


def lossy(folder: Path, known: str) -> Codec:
    """Return the codec of a tokenizer that knows the characters of `known` alone, the space among them."""
    vocabulary = {character: number for number, character in enumerate(["<unk>", *sorted(set(known + " "))])}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.decoder = decoders.Fuse()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>").save_pretrained(folder)
    return Codec(Model("lossy", str(folder)))


def test_a_rare_character_lost_is_warned_of_and_a_share_is_refused(tmp_path: Path) -> None:
    question = "A train of 60 cars, how long is it if each car is 20 long?"
    codec = lossy(tmp_path, question)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codec.check([question, question.replace("60 cars", "\u0036\uff10\u2009ca\u00adrs\u200b")])
    with pytest.warns(
        UserWarning, match=r"^the tokenizer of lossy loses characters of 1 of 2 questions: '☺' of \"☺ A"
    ):
        codec.check([question, question.replace("A", "☺ A")])
    with pytest.warns(UserWarning, match=r"loses characters of 1 of 1 questions"):
        codec.check(["A c☺r"])  # a quarter of it, but one character
    with pytest.raises(
        ValueError, match=r'^model=lossy: 6% of "☺☺☺ A train .*\.\.\." is unknown to its tokenizer'
    ):
        codec.check(["A c☺r", question.replace("A", "☺☺☺ A")])


def test_a_tokenizer_that_loses_text_is_refused() -> None:
    pocket = Model("pocket", "pocket/reasoner", reads="its own arithmetic")
    with pytest.raises(ValueError, match=r'^model=pocket reads only its own arithmetic; \d+% of "What is 2'):
        Codec(pocket).check(["What is 2+2?"])


CAPPED = ("r1_distill_qwen", "r1_distill_llama", "deepseek_r1", "qwen3", "qwen3_2507_thinking", "qwq", "s1_1")


@THINKING
def test_a_cap_is_left_to_an_engine_only_where_it_sees_both_markers(family: Family, tmp_path: Path) -> None:
    codec = codec_of(family, tmp_path)
    if family.name in CAPPED:
        codec.check_cap()
        return
    reason = {
        "gpt_oss": r"a forced '<\|channel\|>final<\|message\|>' does not close the message before it",
        "olmo_think": r"its tokenizer merges '</think>' with what stands beside it, and the engine",
    }
    with pytest.raises(ValueError, match=f"{reason[family.name]}.*; use strategy.enforced_by=strategy$"):
        codec.check_cap()


def test_vllm_is_told_the_markers_that_were_found(tmp_path: Path) -> None:
    for name, markers in {"qwen3_2507_thinking": TAGS, "smollm2": None}.items():
        engine, folder = VllmEngine(ends_thinking=True, max_model_len=64), tmp_path / name
        model = codec_of(BY_NAME[name], folder).model
        LlamaConfig(max_position_embeddings=64).save_pretrained(folder)
        told = engine.arguments(model).get("reasoning_config")
        expected = markers and {"reasoning_start_str": markers[0], "reasoning_end_str": markers[1]}
        assert told == expected
