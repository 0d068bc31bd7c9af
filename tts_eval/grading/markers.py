"""Statements of the answer in a text: "the answer is 5", Answer: 5, #### 5, "option B is correct"."""

from __future__ import annotations

import re

from tts_eval.grading.boxes import BOX, Piece, last_list
from tts_eval.grading.choices import LETTERS
from tts_eval.grading.dates import IN_WORDS
from tts_eval.grading.formulas import FORMULA, PROSE_WORD, bare_runs, formulas, runs
from tts_eval.grading.results import restated_result
from tts_eval.grading.units import UNIT_NAMES, unit_name

MAX_WORDS_OF_AN_ANSWER = 3
_STATEMENT = re.compile(
    r"\banswers?\b(?:[^.\n$:=]{0,80}?\b(?:is|are)\b)?\s*(?::|=|(?<=\bis)(?!\w)|(?<=\bare)(?!\w))\s*:?\s*"
    r"|^[ \t]*(?:\#+|[-*])?[ \t]*(?:(?:the|my) )?(?:final |correct )?answer[ \t]*\n\s*"
    r"|\#{4}[ \t]*(?=\S)"
    r"|<answer>\s*"
    r"|(?=(?:\$[^$\n]{1,60}\$|(?<![\w.,$/-])-?\d[\d,./]*)(?: [a-z]+){0,2}"
    r" is (?:the|our|my) (?:final |correct )?answer\b)"
    r"|(?:答案(?:是|为)?|\b(?:Ответ|Réponse|Respuesta|Antwort)\b)\s*:?\s*(?=\S)"
    r"|\b(?:la réponse|la respuesta|die Antwort)\b[^.\n$:=]{0,80}?\b(?:est|es|ist|lautet)\b\s*:?\s*"
    rf"|\b(?:option|choice|alternative)\b(?:[^.\n$:]{{0,40}}?\bis\b)?\s*:?\s*(?=\(?[{LETTERS}]\b(?!'))"
    rf"|(?:\bI (?:choose|pick|select)\b|\bchoose\b|\bmust be\b)\s+(?:option\s+)?(?=\(?[{LETTERS}](?:\)|[.,]|\s*$))"  # noqa: E501
    rf"|(?=\([{LETTERS}]\) is (?:the )?(?:correct|right|best)\b)"
    rf"|(?<![\w'])(?=[{LETTERS}] is (?:the )?(?:correct|right|best)\b)",
    re.I | re.M,
)
_SENTENCE_END = re.compile(r"(?<!\.)\.(?=\s|\*|$)|\n|<\||</|[!?](?=\s(?! *[-+*/^=])|$)")
_CHOICE = re.compile(
    rf"\(([{LETTERS}])\)(?![-+*/^=(\w])|([{LETTERS}])[).:](?=\s|$)|([{LETTERS}])(?=$|[,;!]|\s+(?:is|because|since|as|with|\())"
    rf"|([B-HJ])(?=\s+[a-z])"
)
_NEGATION = re.compile(
    r"(?:not|n't|neither|unlikely|never)\b(?:.*\bbut(?: rather| instead)?\b|.*)", re.I | re.S
)
_BOUND = re.compile(
    r"(?:at (?:least|most)|(?:no )?(?:more|less|fewer|greater) than|up to|between)\b[^,;]*?\d[^,;]*?"
    r"(?=$|[,;]|\.\s| because\b| since\b)",
    re.I,
)
_WORDS_AND_WHY = re.compile(
    r"(?:yes|no|true|false)(?=[,;:])|[A-Za-z'-]+(?: [A-Za-z'-]+){0,2}?(?=,? (?:because|since|as)\b)", re.I
)
_WORDS = r"[A-Za-z'-]+(?: [A-Za-z'-]+)?"
_LIST_OF_WORDS = re.compile(rf"{_WORDS}(?:, {_WORDS}){{0,7}}(?:,? (?:and|or) {_WORDS})$")
_DAY = re.compile(rf"(?:on |the )*({IN_WORDS.pattern})", re.I)
_HALF_OF_DAY = re.compile(r" ?[ap]\.?m\b", re.I)
_ONE_TO_ANOTHER = re.compile(r"\b(?:ratio|odds)\b[^.\n]* (\d+) to (\d+)$", re.I)
_HEDGE = re.compile(
    r"(?:(?:approximately|about|around|exactly|simply|just|either|both|equal to|therefore|thus|then"
    r"|clearly|indeed|given by|now)\s+|[:=\"]\s*)+",
    re.I,
)
_LIST_COMMA = re.compile(r"\s*(?:,\s*(?:and|or)?|;|\band\b|\bor\b)\s*")
_PLURAL = re.compile(r"\b(?:are|solutions|roots|values|answers|numbers)\b[^.\n]{0,40}$")
_CONTINENTAL = re.compile(r"-?\d{1,3}(?:[ .]\d{3})+,\d{1,2}")
_DECIMAL_COMMA = re.compile(r"-?\d+,(?:\d{1,2}|\d{4,})|-?0,\d+")
_QUALIFIED = re.compile(
    r"\s*(?:if|or (?:more|less|fewer|greater)|to|plus|minus|when|where|am|pm|a\.m|p\.m|hundred|thousand"
    r"|million|billion|trillion|dozen|remainder|mod|modulo|in base|base|and a half)\b",
    re.I,
)
_MORE_OF_IT = re.compile(
    r"(?:\s+[A-Za-z]+\.?(?:\^\d)?(?:/[a-z]+)?)?(?:,?\s+(?:and\s+)?\d[\d.,]*\s+[A-Za-z]+)+(?=\s*$|\s*[.,;(])"
)
_QUANTITY = r"\d[\d,]*(?:\.\d+)? [A-Za-z]+"
_QUANTITIES = re.compile(rf"{_QUANTITY}(?:,? (?:and )?{_QUANTITY})+")
_UNIT = re.compile(r"\s*(?:%|°|\\?%|percent\b|[A-Za-z]+(?:/[A-Za-z]+|\^\d)?(?=\s*$|\s*[.,;(]))")


def last_statement(text: str, *, is_truncated: bool) -> str | None:
    """Return what the last statement of the answer states, None where there is none.

    In a truncated text a statement counts only if something follows it.
    """
    for statement in reversed(list(_STATEMENT.finditer(text))):
        rest = text[statement.end() :]
        formula = FORMULA.match(rest)
        end = _SENTENCE_END.search(rest, formula.end() if formula else 0)
        if end is None and is_truncated:
            continue
        sentence = rest[: end.start() if end else None].strip(" \t*_`\"'")
        if negation := _NEGATION.match(sentence):
            sentence = sentence[negation.end() :].lstrip()
        if not sentence or BOX.search(sentence):  # within \boxed{}
            continue
        before = text[: statement.end()]
        if answer := _stated(sentence, rest if end and end[0] in "!?" else sentence, before=before):
            return answer
    return None


def last_choice(text: str) -> str | None:
    """Return the letter that the last statement chooses, None where that chooses none."""
    for statement in reversed(list(_STATEMENT.finditer(text))):
        if match := _CHOICE.match(text, statement.end()):
            return next(group for group in match.groups() if group)
    return None


def last_formula_or_run(text: str, *, before: str = "") -> str | None:
    """Return the last formula, in a list with those that it belongs to, or the bare mathematics behind it.

    Of a last sentence that goes on behind the result of the last equation ("52 eggs in 4 weeks"), the result
    is returned; that equation may stand in what came `before`.
    """
    found = formulas(text)
    bare = list(runs(text, found[-1].end if found else 0))
    if not (bare or found):
        return None
    if result := restated_result(before + text, len(before) + (bare or found)[-1].start):
        return result
    if not bare:
        return last_list(text, found)
    first = len(bare) - 1
    while first and _LIST_COMMA.fullmatch(text, bare[first - 1].end, bare[first].start):
        first -= 1
    if first < len(bare) - 1 and _PLURAL.search(text[: bare[first].start]):
        return ", ".join(piece.content for piece in bare[first:])
    return _in_context(bare[-1], text)


def _in_context(last: Piece, text: str) -> str:
    """Return the last number of a text with its month, half of the day, larger units or its ratio."""
    before, after = text[: last.start], text[last.end :]
    for day in IN_WORDS.finditer(text):
        if day.start() <= last.start and last.end <= day.end():
            return day[0].rstrip(".")
    if (half := _HALF_OF_DAY.match(after)) and re.fullmatch(r"\d{1,2}(?::\d\d)?", last.content):
        return last.content + half[0]
    for quantities in _QUANTITIES.finditer(text):  # 3 hours and 20 minutes
        units = {unit_name(word) for word in re.findall("[A-Za-z]+", quantities[0]) if word != "and"}
        if quantities.start() < last.start < quantities.end() and units <= UNIT_NAMES:
            return quantities[0]
    if ratio := _ONE_TO_ANOTHER.search(text[: last.end]):
        return f"{ratio[1]}:{ratio[2]}"
    return _decimal(last.content, before)


def _stated(sentence: str, rest: str, *, before: str) -> str | None:
    if match := _CHOICE.match(sentence):
        letter = next(group for group in match.groups() if group)
        has_value = match[1] or match[2]
        return (
            f"({letter}) {sentence[match.end() :].strip()}".strip()
            if has_value and sentence[match.end() :].strip()
            else letter
        )
    sentence = sentence[match.end() :] if (match := _HEDGE.match(sentence)) else sentence
    for pattern in (_BOUND, _DAY, _WORDS_AND_WHY, _LIST_OF_WORDS):
        if match := pattern.match(sentence):
            return match[0]
    if not before.endswith("\n"):  # where it is no bullet
        sentence = re.sub(r"^- (?=[\d.\\$(])", "-", sentence)
    if answer := _in_front(sentence):
        return answer
    if sentence and not PROSE_WORD.search(sentence):
        return re.sub(r"(?<=\d)[!?]+$", "", sentence)
    stated = last_formula_or_run(sentence, before=before)
    if stated or 0 < len(sentence.split()) <= MAX_WORDS_OF_AN_ANSWER:
        return stated or sentence
    return None


def _in_front(sentence: str) -> str | None:
    """Return the mathematics that the sentence begins with, with its list, its unit or what qualifies it."""
    pieces: list[Piece] = []
    for piece in sorted([*formulas(sentence), *bare_runs(sentence)], key=lambda piece: piece.start):
        between = sentence[pieces[-1].end if pieces else 0 : piece.start]
        if not (_LIST_COMMA.fullmatch(between) if pieces else not between.strip("($ ")):
            break
        pieces.append(piece)
    if not pieces:
        return None
    rest = sentence[pieces[-1].end :]
    if len(pieces) > 1 and re.match(r"\s*[A-Za-z]{2,}", rest) and "and" not in sentence[: pieces[-1].start]:
        pieces, rest = pieces[:1], sentence[pieces[0].end :]
    if _QUALIFIED.match(rest):
        return sentence
    content = ", ".join(piece.content for piece in pieces)
    if len(pieces) > 1:
        return content
    more = _MORE_OF_IT.match(rest)
    if more and (" and " in more[0] or unit_name(more[0].split()[0]) in UNIT_NAMES - {"in"}):
        return content + more[0]
    content = _decimal(content, "")
    unit = _UNIT.match(rest)
    return f"{content}{unit[0]}" if unit and not unit[0].lstrip()[0].isalpha() else content


def _decimal(content: str, before: str) -> str:
    """Read a decimal comma, 2,74 or 1 018,50, where nothing says that there are several numbers."""
    if _CONTINENTAL.fullmatch(content):
        return re.sub("[ .]", "", content).replace(",", ".")
    return (
        content.replace(",", ".")
        if not _PLURAL.search(before) and _DECIMAL_COMMA.fullmatch(content)
        else content
    )
