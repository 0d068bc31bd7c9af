r"""Mathematics in prose: formulas between delimiters ($…$, \[…\], \(…\)), and runs of it that stand bare."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tts_eval.grading.boxes import BOX, Piece

FORMULA = re.compile(
    r"""\$\$(?P<display>.{1,1000}?)\$\$
    | \\\[(?P<bracket>.{1,1000}?)\\\]
    | \\\((?P<parenthesis>.{1,1000}?)\\\)
    | \\begin\{(?:align|gather|equation)\*?\}(?P<environment>.{1,1000}?)\\end\{(?:align|gather|equation)\*?\}
    | (?<![\\A-Za-z0-9_])\$(?P<inline>(?:\\.|[^$\\]){1,1000}?)\$(?!\d)""",
    re.S | re.X,
)
_FUNCTION = r"(?:sqrt|pi|arcsin|arccos|arctan|sin|cos|tan|cot|log|ln|exp|infinity)"
PROSE_WORD = re.compile(rf"(?<![\\\w{{])(?!(?:{_FUNCTION}|and|or)\b)[A-Za-z]{{2,}}|[^\W\d_a-zA-Z]")
_TOKEN = re.compile(
    rf"""(?P<space>[ \t]+)
    | (?P<command>\\[A-Za-z]+|\\[,;:!{{}}%])
    | (?P<endless>\d*\.\d+\.{{3}}|\d*\.\d*\\overline\{{\d+\}})
    | (?P<number>\d+(?:[.,]\d+)*(?:(?:[ ]:[ ]|:)\d+(?:\.\d+)?)*|\.\d+)(?:[eE][-+]?\d+)?(?![A-Za-z]{{4}})
    | (?P<function>{_FUNCTION}(?![A-Za-z]))
    | (?P<word>[A-Za-z][^\W_]+(?:[\^_](?:\{{[^{{}}]*\}}|-?[^\W_]+)?)*)
    | (?P<letter>[A-Za-z]'?)
    | (?P<currency>\\?\$(?=[-\d.])|[£€¥₹](?=[-\d.]))
    | (?P<operator>[-+*/=^_<>|!%])
    | (?P<opening>[(\[{{])
    | (?P<closing>[)\]}}])
    | (?P<comma>[,;])
    | (?P<other>.)""",
    re.X | re.S,
)
_LONGEST_PRODUCT = 3
_MEANING = re.compile(
    r"\d|\\(?:pi|sqrt|frac|infty|emptyset|theta|alpha)|(?<![A-Za-z])(?:pi|sqrt|infinity)(?![A-Za-z])"
)
_NAMED = re.compile(r"[A-Za-z]'?(?:\([A-Za-z]\))? ?=(?![^=]*=)")
_ATTACHED_UNIT = re.compile(r"^(-?[\d.,]+)([A-Za-z]{1,2}\^\{?[23]\}?$)")  # in prose 5m² is a measure
_LEADING = re.compile(r"(?:[=*/,;<>%!^_)\]}]|\+(?!\d)|- |\s)+")
_TRAILING = re.compile(r"(?:[-=*/+,;<>^_(\[{|]|\\[,;:]|\s)+$")
_RELATION = r"\\(?:[gln]eq?|approx|in)(?![A-Za-z])"
_LONE_LETTER = re.compile(rf"^[A-Za-z] (?=[\w\\(])(?!{_RELATION})|(?<=[\w)}}]) [A-Za-z]$")
_ALIGNED = re.compile(r"\\(?:begin|end)\{(?:aligned|gathered|split)\}")
_END_OF_ROW = re.compile(r"\\\\(?:\[[^\]]*\])?")
_COMMAND = re.compile(r"\\(?:text|mbox|mathrm)\{[^{}]*\}|\\[A-Za-z]+")
_ARITHMETIC = re.compile(r"\\(?:times|cdot|div|[dt]?frac|left|right)(?![A-Za-z])")


def formulas(text: str) -> list[Piece]:
    """Return the formulas between delimiters that hold something and no box."""
    pieces: list[Piece] = []
    position = 0
    while match := FORMULA.search(text, position):
        content = match[match.lastgroup or 0]
        is_prose = match.lastgroup == "inline" and content != content.strip() and PROSE_WORD.search(content)
        if is_prose:  # "$5 buys two, so $x = 3$": the second dollar opens a formula, it closes none
            position = match.end() - 1
            continue
        position = match.end()
        if content.strip() and not BOX.search(content):
            is_aligned = match.lastgroup == "environment" or _ALIGNED.search(content)
            content = _last_side(_last_row(content) if is_aligned else content)
            pieces.append(Piece(match.start(), match.end(), content.strip()))
    return pieces


def _last_row(content: str) -> str:
    """Return the last row of aligned equations."""
    if "matrix" in content or "array" in content or "cases" in content:  # whose rows end likewise
        return _ALIGNED.sub("", content)
    rows = [row.replace("&", "") for row in _END_OF_ROW.split(_ALIGNED.sub("", content))]
    return next((row.strip().removeprefix("=") for row in reversed(rows) if row.strip()), content)


def _last_side(content: str) -> str:
    r"""Return what arithmetic comes to, 48 + 24 = 72 \text{ clips}; an equation with letters stays whole."""
    before, _, last = content.rpartition("=")
    is_arithmetic = before.strip() and not re.search(r"[A-Za-z<>]", _ARITHMETIC.sub("", before))
    is_result = is_arithmetic and not re.search(r"[A-Za-z<>]", _COMMAND.sub("", last))
    return last if is_result and _MEANING.search(last) else content


def runs(text: str, start: int = 0) -> Iterator[Piece]:
    """Yield the longest stretches of bare mathematics, with all that roots, signs and brackets make of it."""
    begin: int | None = None
    end = 0
    unclosed: list[int] = []
    previous = ""
    for token in _TOKEN.finditer(text, start):
        kind = token.lastgroup or ""
        if kind == "space":
            continue
        is_attached = begin is not None and token.start() == end
        if kind == "opening" and begin is not None and not is_attached and previous in ("number", "closing"):
            yield from _trimmed(text, begin, end, unclosed)  # "8 (5 + 3)"
            begin, unclosed, is_math = None, [], True
        elif kind == "word":
            is_math = (
                is_attached
                and len(re.split(r"[\^_]", token[0])[0]) <= _LONGEST_PRODUCT
                and previous in ("number", "closing", "operator")
            )
        elif kind == "operator" and token[0] == "-" and begin is None:
            is_math = token.start() == 0 or not text[token.start() - 1].isalnum()  # no hyphen
        else:
            is_math = kind not in ("other", "comma") or (kind == "comma" and bool(unclosed))
        if not is_math:
            if begin is not None:
                yield from _trimmed(text, begin, end, unclosed)
            begin, unclosed = None, []
            continue
        if kind == "opening":
            unclosed.append(token.start())
        elif kind == "closing" and unclosed:
            unclosed.pop()
        begin = token.start() if begin is None else begin
        end, previous = token.end(), kind
    if begin is not None:
        yield from _trimmed(text, begin, end, unclosed)


def bare_runs(text: str) -> list[Piece]:
    """Return the runs outside of formulas."""
    blanked = text
    for piece in formulas(text):
        blanked = f"{blanked[: piece.start]}{'&' * (piece.end - piece.start)}{blanked[piece.end :]}"
    return list(runs(blanked))


def _trimmed(text: str, begin: int, end: int, unclosed: list[int]) -> Iterator[Piece]:
    """Yield what of a run is mathematics and not punctuation; of a chain of equations, its last side."""
    if unclosed:  # "72 (48 in April"
        begin, end = (begin + 1, end) if unclosed[0] == begin else (begin, unclosed[0])
    run = text[begin:end]
    if "=" in run and not _NAMED.match(run.lstrip()):
        side = run.rstrip(" =").rpartition("=")[2]
        run = side if _MEANING.search(side) else run
    for _ in range(3):
        run = _TRAILING.sub("", run)
        run = run[match.end() :] if (match := _LEADING.match(run)) else run
        run = _LONE_LETTER.sub("", run)
        run = _balanced(run)
    if re.fullmatch(r"-?[\d.,]+!+", run):
        run = run.rstrip("!")  # an exclamation
    run = _ATTACHED_UNIT.sub(r"\1 \2", run)
    run = re.sub(r"\\?\$|[£€¥₹]", "", run).strip()
    if _MEANING.search(run):
        yield Piece(begin, end, run)


def _balanced(run: str) -> str:
    if sum(map(run.count, "([{")) == sum(map(run.count, ")]}")):  # [0, 1)
        return run.strip()
    for opening, closing in ("()", "[]", "{}"):
        excess = run.count(opening) - run.count(closing)
        if excess > 0 and run.startswith(opening):
            run = run[1:]
        elif excess < 0 and run.endswith(closing):
            run = run[:-1]
    return run.strip()
