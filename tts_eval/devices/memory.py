"""The memory of the visible GPUs: whether what an engine held is back before the next one asks for it."""

from __future__ import annotations

import time

from tts_eval.devices.driver import open_driver

SLACK_BYTES = 256 << 20  # other programs' ups and downs
POLL_S = 0.05


def used_bytes() -> int | None:
    """Return what is in use on all visible GPUs together; None without any, or where one does not say."""
    with open_driver() as driver:
        gpus = [] if driver is None else driver.gpus()
        if driver is None or not gpus:
            return None
        memory = [driver.answer(driver.nvml.nvmlDeviceGetMemoryInfo, gpu) for gpu in gpus]
        return None if None in memory else sum(int(each.used) for each in memory if each is not None)


def await_back(before_bytes: int | None, *, timeout_s: float) -> bool:
    """Wait until no more is in use than `before_bytes`; False where it still is after `timeout_s` seconds.

    The driver may report memory as used for a moment after its process is gone.
    """
    deadline_s = time.monotonic() + timeout_s
    while before_bytes is not None and (used := used_bytes()) is not None:
        if used <= before_bytes + SLACK_BYTES:
            break
        if time.monotonic() > deadline_s:
            return False
        time.sleep(POLL_S)
    return True
