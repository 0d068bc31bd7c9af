"""What can go wrong between here and a server: faults that are tried again, and refusals that end the run."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import msgspec
import openai

from tts_eval.requests import EngineDied

RETRIED = frozenset((408, 409, 425, 429))  # and all from 500 on
GATEWAY = frozenset((502, 503, 504))  # in front of a server that does not answer
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 8.0
QUOTED_CHARACTERS = 300


class Rejected(EngineDied):
    """The server rejected a request as such: it would reject it again, so the run ends."""


class Fault(Exception):
    """A request failed and may be tried again; `is_down` says that the server itself does not answer."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None, is_down: bool = False) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.is_down = is_down


@contextmanager
def sorted_faults(url: str) -> Iterator[None]:
    """Raise what fails within as a `Fault` or as `Rejected`, whichever it is."""
    try:
        yield
    except openai.APIStatusError as error:
        raise _of_status(error, url) from None
    except openai.APITimeoutError:
        raise Fault("timeout", is_down=True) from None
    except openai.APIConnectionError as error:
        raise Fault(f"connection: {type(error.__cause__ or error).__name__}", is_down=True) from None
    except httpx2.TimeoutException:
        raise Fault("stall", is_down=True) from None
    except (httpx2.TransportError, httpx2.StreamError) as error:
        raise Fault(f"reset: {type(error).__name__}") from None
    except msgspec.DecodeError:
        raise Fault("garbage") from None


def of_event(error: Any, url: str) -> Exception:
    """Return the exception for an error that the server sent within a stream."""
    told = error if isinstance(error, dict) else {"message": str(error)}
    code, message = told.get("code"), quoted(str(told.get("message", "")))
    if isinstance(code, int) and 400 <= code < 500 and code not in RETRIED:
        return Rejected(f"{url} answered {code}: {message}")
    return Fault(f"error in the stream: {message}")


def quoted(text: str) -> str:
    """Return a server's words on one line, shortened."""
    line = " ".join(text.split())
    return line if len(line) <= QUOTED_CHARACTERS else f"{line[:QUOTED_CHARACTERS]}..."


def _of_status(error: openai.APIStatusError, url: str) -> Exception:
    status = error.status_code
    if status in RETRIED or status >= 500:
        return Fault(str(status), retry_after_s=_retry_after_s(error.response), is_down=status in GATEWAY)
    return Rejected(f"{url} answered {status}: {quoted(_message(error))}")


def _message(error: openai.APIStatusError) -> str:
    body: Any = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message", inner) if isinstance(inner, dict) else inner
    return str(body or error.message)


def _retry_after_s(response: Any) -> float | None:
    """Return the seconds of a Retry-After header, which may be a date instead (RFC 9110, section 10.2.3)."""
    told = response.headers.get("retry-after", "")
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return None


def wait_s(fault: BaseException | None, attempt: int, draw: random.Random) -> float:
    """Return how long to wait after the `attempt`-th failure: full jitter, never less than Retry-After."""
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt)
    told = fault.retry_after_s if isinstance(fault, Fault) else None
    return (told or 0.0) + draw.uniform(0.0, longest)
