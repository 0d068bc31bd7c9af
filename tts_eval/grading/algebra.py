"""Compares and describes answers by computer algebra: math-verify on sympy, and the guards of our policy.

It may hang or use any amount of memory: import and call it in a worker only.
"""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import cmath
import math
import re
import zlib
from itertools import chain

from latex2sympy2_extended.sets import FiniteSet
from math_verify import verify
from math_verify.errors import TimeoutException
from math_verify.grader import is_assignment_relation, is_relation, safe_sympy_doit, take_last_relation
from math_verify.utils import timeout
from sympy import Expr, Float, Interval, MatrixBase, Rational, Set, Symbol, Tuple, default_sort_key

from tts_eval.grading.domains import agree_where_defined
from tts_eval.grading.grade import Reason
from tts_eval.grading.latex import Parsed, has_letter_i, parse, uses_both_cases, with_imaginary_unit
from tts_eval.grading.messages import FINGERPRINT_TOLERANCE, Form, Job, Kind, Reply, rational_key

_GUARD_DIGITS = 30
_GUARD_BELOW = 1e-2
_GUARD_TOLERANCE = 1e-5
_LOG = re.compile(r"\\log(?![A-Za-z_]| _)")
_LN = re.compile(r"\\ln(?![A-Za-z])")
_SLASH = re.compile(r"(?<![\w.}])(\d+)/(\d+)(?=[A-Za-z(\\])")
_MAX_KEY_BITS = 100_000


def run(job: Job, *, step_timeout_s: int) -> Reply:
    """Do a job; whatever goes wrong on the way, or hangs on how a text is read, is a failure in the reply."""
    reply = _run(job, step_timeout_s=step_timeout_s)
    if reply.equal is not None and (other := _other_reading(job)):
        is_equal = _run(other, step_timeout_s=step_timeout_s).equal
        return reply if is_equal in (reply.equal, None) else Reply(failure=Reason.TWO_READINGS)
    return reply


def _other_reading(job: Job) -> Job | None:
    """Return the job with log as ln beside an ln, and with 1/2x as half of x; None where it has neither."""
    if job.gold is None:
        return None
    gold, answer = job.gold, job.answer
    for one, other in ((gold, answer), (answer, gold)):
        if _LOG.search(one) and _LN.search(other) and not (_LN.search(one) or _LOG.search(other)):
            gold, answer = (_LOG.sub(r"\\ln ", text) for text in (gold, answer))
            break
    gold, answer = (_SLASH.sub(r"\\frac{\1}{\2}", text) for text in (gold, answer))
    return Job(answer, gold) if (answer, gold) != (job.answer, job.gold) else None


def _run(job: Job, *, step_timeout_s: int) -> Reply:
    blame = Reason.GOLD_UNPARSED if job.gold is not None else Reason.ANSWER_UNPARSED
    within = timeout(step_timeout_s)
    try:
        keeps_case = job.gold is None or uses_both_cases(job.gold) or uses_both_cases(job.answer)
        gold = within(parse)(job.gold, keeps_case=keeps_case) if job.gold is not None else None
        blame = Reason.ANSWER_UNPARSED
        answer = within(parse)(job.answer, keeps_case=keeps_case)
        blame = Reason.COMPARISON_FAILED
        if gold is None or job.gold is None:
            return Reply(form=within(_describe)(answer))
        if within(_differ)(gold, answer):
            return Reply(equal=False)
        equal = _verify(gold, answer, step_timeout_s)
        if equal and isinstance(gold, FiniteSet) and isinstance(answer, Interval | Tuple):
            # x = 3, y = 7 against (3, 7): math-verify minds the order only where the pair is the gold
            equal = _verify(answer, gold, step_timeout_s)
        if not equal and (has_letter_i(gold) or has_letter_i(answer)):
            gold, answer = with_imaginary_unit(gold), with_imaginary_unit(answer)
            equal = _verify(gold, answer, step_timeout_s)
        if not equal:
            equal = within(agree_where_defined)(_value(gold), _value(answer))
        return Reply(equal=equal and within(_stands)(job, gold, answer))
    except TimeoutException:
        return Reply(failure=Reason.TIME_OUT)
    except MemoryError:
        return Reply(failure=Reason.OUT_OF_MEMORY)
    except Exception as error:
        if blame is Reason.COMPARISON_FAILED and "nan or zoo" in str(error):
            return Reply(equal=False)  # a division by zero equals nothing
        return Reply(failure=blame)


def _verify(gold: Parsed, answer: Parsed, step_timeout_s: int) -> bool:
    return bool(verify(gold, answer, timeout_seconds=step_timeout_s, raise_on_error=True))


def _differ(gold: Parsed, answer: Parsed) -> bool:
    """Tell, without simplifying, whether two formulas have different values at a point."""
    if not (isinstance(gold, Expr) and isinstance(answer, Expr)) or gold == answer:
        return False
    if any(isinstance(one, Symbol) or has_letter_i(one) for one in (gold, answer)):
        return False  # words, and roots of an imaginary unit
    try:
        difference, size = (abs(_evaluate(one)) for one in (gold - answer, gold))
    except MemoryError:
        raise
    except Exception:
        return False
    return math.isfinite(size) and FINGERPRINT_TOLERANCE * (1 + size) < difference < math.inf


def _stands(job: Job, gold: Parsed, answer: Parsed) -> bool:
    """Check an "equal" of math-verify against what it is known to get wrong."""
    if isinstance(gold, FiniteSet) and isinstance(answer, FiniteSet):
        is_braced = any(text is not None and text.startswith(("{", r"\{")) for text in (job.gold, job.answer))
        return is_braced or _repeats(gold) == _repeats(answer)
    gold, answer = _value(gold), _value(answer)
    if not (isinstance(gold, Expr) and isinstance(answer, Expr)) or gold.free_symbols or answer.free_symbols:
        return True
    return _are_close(gold, answer)


def _repeats(elements: FiniteSet) -> list[int]:
    """Return how often each number of a list stands in it; roots have multiplicities, tuples have none."""
    numbers = [_value(element) for element in elements._unsorted_args if not isinstance(element, Set | Tuple)]
    given = [safe_sympy_doit(number) for number in numbers]
    return [given.count(element) for element in sorted(set(given), key=default_sort_key)]


def _are_close(gold: Expr, answer: Expr) -> bool:
    """Compare small numbers by their leading digits: math-verify rounds them to six places, often to zero."""
    x, y = gold.evalf(_GUARD_DIGITS), answer.evalf(_GUARD_DIGITS)
    if not all(isinstance(number, Float | Rational) for number in (x, y)):
        return True
    if any(isinstance(number, Float) and number._prec < _GUARD_DIGITS for number in (x, y)):
        return True  # a zero that evalf cannot tell from zero
    size = max(abs(x), abs(y))
    return bool(size >= _GUARD_BELOW or abs(x - y) <= _GUARD_TOLERANCE * size)


def _value(parsed: Parsed) -> Parsed:
    return take_last_relation(parsed).rhs if is_assignment_relation(parsed) else parsed


def _describe(parsed: Parsed) -> Form:
    parsed = _value(parsed)
    kind = _kind(parsed)
    try:
        values = [_evaluate(part) for part in _parts(parsed)]
        figures = (float(len(values)), *_flat(sum(values)), *_flat(sum(value * value for value in values)))
        fingerprint = figures if all(map(cmath.isfinite, figures)) else None
    except MemoryError:
        raise
    except Exception:
        fingerprint = None
    return Form(kind, fingerprint, _key(parsed) if kind is Kind.SCALAR else None)


def _key(scalar: Expr) -> str | None:
    value = safe_sympy_doit(scalar)
    if not isinstance(value, Rational) or not value.is_finite:
        return None
    numerator, denominator = int(value.p), int(value.q)
    is_short = max(abs(numerator), denominator).bit_length() <= _MAX_KEY_BITS
    return rational_key(numerator, denominator) if is_short else None


def _kind(parsed: Parsed) -> Kind:
    if isinstance(parsed, MatrixBase):
        return Kind.MATRIX
    if isinstance(parsed, Set | Tuple):
        return Kind.COLLECTION
    if is_relation(parsed):
        return Kind.RELATION
    return Kind.WORD if isinstance(parsed, Symbol) and len(parsed.name) > 1 else Kind.SCALAR


def _parts(parsed: Parsed) -> list[Parsed]:
    """Return the scalars of which an answer consists; raise TypeError for what does not consist of any."""
    if isinstance(parsed, MatrixBase):
        return list(parsed.flat())
    if isinstance(parsed, FiniteSet | Tuple):
        return list(chain.from_iterable(_parts(_value(part)) for part in parsed.args))
    if not isinstance(parsed, Expr) or _kind(parsed) is Kind.WORD:
        raise TypeError(type(parsed).__name__)
    return [parsed]


def _evaluate(scalar: Expr) -> complex:
    """Evaluate at a point that depends on nothing but the names of the variables, capital or small."""
    scalar = with_imaginary_unit(scalar)
    point = {
        symbol: 0.3 + 2 * zlib.crc32(symbol.name.lower().encode()) / 2**32 for symbol in scalar.free_symbols
    }
    return complex(safe_sympy_doit(scalar).subs(point).evalf())


def _flat(value: complex) -> tuple[float, float]:
    return complex(value).real, complex(value).imag
