"""Pairs of answers in rarer spellings, with the verdict that a reader gives."""

from __future__ import annotations

import pytest

from tts_eval.grading.grade import Verdict
from tts_eval.grading.grader import Grader

pytestmark = pytest.mark.asyncio(loop_scope="package")

EQUAL = r"""
0.666... ~ 2/3 | 0.1818... ~ \frac{2}{11} | 0.1̅8̅ ~ \frac{2}{11} | 1_234_567 ~ 1234567
12,34,567 ~ 1234567 | ₹12,34,567 ~ 1234567 | 1.234.567,89 ~ 1234567.89 | 1'234'567 ~ 1234567
101_2 ~ 101 base 2 | 101_2 ~ 101 (base two) | 1F_{16} ~ 1F base 16 | 101_2 ~ 101_{(2)}
12 remainder 3 ~ 12 R3 | 7:00 am ~ 7 a.m. | $1.2M ~ 1200000 | $5k ~ 5,000 dollars
x>1 and x<5 ~ 1<x<5 | x<5 and x\ge1 ~ [1,5) | CH_4 ~ CH4 | Ca(OH)2 ~ Ca(OH)_2
\text{CO}_2 ~ CO2 | C_6H_{12}O_6 ~ C6H12O6 | SO_4^{2-} ~ SO4^{2-} | \text{Na}^+ ~ Na+
2\frac{1}{2} ~ two and a half | \frac34 ~ three quarters | 5 ~ 5 (five) | No ~ NO
\angle ABC ~ ∠ABC | \sqrt[3]{2} ~ ∛2 | \sqrt[3]{10} ~ cbrt(10) | 90^\circ ~ 90º
y=2x+1 ~ f(x)=2x+1 | \frac{dy}{dx}=2x ~ 2x | y'=2x ~ 2x | x\cdot y ~ xy
25^\circ C ~ 25 degrees Celsius | B ~ B - 12 meters
\begin{pmatrix}1&2\\3&4\end{pmatrix} ~ [[1, 2], [3, 4]]
"""
UNDECIDED = r"""
3.14159... ~ 3.14159 | 0.6 ~ 0.6... | \ln 2 ~ \log 2 | \frac{x}{2} ~ 1/2x
Co ~ CO | \text{Pb} ~ PB | H_2O ~ OH_2 | \angle ABC ~ \angle ACB
3\text{ hours }20\text{ minutes} ~ 200 minutes | 3 ~ three quarters | 2-\frac12 ~ ????
\begin{bmatrix}1\\2\\3\end{bmatrix} ~ (1,2,3)
"""
UNEQUAL = r"""
0.6 ~ 0.6̅ | 12,34,567 ~ 12,34,568 | 101_2 ~ 101 base 3 | 12 R 3 ~ 12 R 4
7 am ~ 7:30 am | x>1 and x<5 ~ (1,5] | CO_2 ~ CO | H_2O ~ HO_2
C_6H_{12}O_6 ~ C12H6O6 | 2B ~ B2 | \ln 2 ~ \log 3 | \log_2 8 ~ \ln 8
f(x)=2x+1 ~ g(x)=2x+1 | y=2x+1 ~ f(x)=2x-1 | red ~ the blue one | $5k ~ $5M
\begin{pmatrix}1&2\\3&4\end{pmatrix} ~ [[1,3],[2,4]] | \overrightarrow{AB} ~ \overrightarrow{CD}
"""


def _pairs(table: str, verdict: Verdict) -> list[tuple[str, str, Verdict]]:
    cells = [cell.strip().split(" ~ ") for row in table.strip().splitlines() for cell in row.split(" | ")]
    return [(gold.strip(), answer.strip(), verdict) for gold, answer in cells]


@pytest.mark.parametrize(
    ("gold", "answer", "verdict"),
    _pairs(EQUAL, Verdict.EQUAL) + _pairs(UNDECIDED, Verdict.UNDECIDED) + _pairs(UNEQUAL, Verdict.UNEQUAL),
)
async def test_the_verdict_is_a_readers(grader: Grader, gold: str, answer: str, verdict: Verdict) -> None:
    assert (await grader.grade(gold, answer)).verdict == verdict
