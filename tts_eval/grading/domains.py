"""Equality of roots and logarithms where both are real: log x^3 and 3 log x, not the root of x^2 and x."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import cmath
import zlib
from itertools import product

from sympy import Expr, Pow, Symbol, expand_log, log, powdenest, simplify

_TOLERANCE = 1e-9
_MAX_VARIABLES = 4


def agree_where_defined(gold: object, answer: object) -> bool:
    """Tell whether two expressions are equal for positive variables, and wherever else both are real."""
    if not (isinstance(gold, Expr) and isinstance(answer, Expr)):
        return False
    symbols = sorted(gold.free_symbols | answer.free_symbols, key=lambda symbol: str(symbol.name))
    if not 0 < len(symbols) <= _MAX_VARIABLES or not (_is_multivalued(gold) or _is_multivalued(answer)):
        return False
    if not all(_agree_at(gold, answer, symbols, signs) for signs in product((1, -1), repeat=len(symbols))):
        return False
    positive = {symbol: Symbol(f"p{number}", positive=True) for number, symbol in enumerate(symbols)}
    difference = (gold - answer).subs(positive).doit()
    return bool(simplify(powdenest(expand_log(difference, force=True), force=True)) == 0)


def _is_multivalued(expression: Expr) -> bool:
    return any(
        isinstance(part, log)
        or (isinstance(part, Pow) and not part.exp.is_integer and part.base.free_symbols)
        for part in expression.atoms(log, Pow)
    )


def _agree_at(gold: Expr, answer: Expr, symbols: list[Symbol], signs: tuple[int, ...]) -> bool:
    for scale in (0.37, 2.3):
        point = {
            symbol: sign * scale * (1 + zlib.crc32(symbol.name.encode()) / 2**32)
            for symbol, sign in zip(symbols, signs, strict=True)
        }
        try:
            if not all(_is_defined(expression, point) for expression in (gold, answer)):
                continue
            one, other = (complex(expression.subs(point).doit().evalf()) for expression in (gold, answer))
        except (TypeError, ValueError, OverflowError, ZeroDivisionError):
            return False
        if not cmath.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            return False
    return True


def _is_defined(expression: Expr, point: dict[Symbol, float]) -> bool:
    """Tell whether every root and logarithm in it has a real argument that is not negative."""
    arguments = [part.args[0] for part in expression.atoms(log)]
    arguments += [part.base for part in expression.atoms(Pow) if not part.exp.is_integer]
    values = [complex(argument.subs(point).doit().evalf()) for argument in arguments]
    return all(abs(value.imag) <= _TOLERANCE and value.real >= 0 for value in values)
