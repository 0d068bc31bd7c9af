"""Lines are appended whole or not at all, and a line that is none costs itself alone."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tts_eval.rundir.json_lines import NotKept, append, read_lines, whole_lines


class NearlyFull:
    """A disk that takes the first bytes of a write and then nothing more."""

    def __init__(self, num_bytes: int) -> None:
        self.num_bytes = num_bytes

    def write(self, descriptor: int, text: bytes) -> int:
        taken, self.num_bytes = text[: self.num_bytes], max(0, self.num_bytes - len(text))
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, taken)


@pytest.mark.parametrize("num_bytes", [0, 1, 9, 10])
def test_an_append_that_fails_half_way_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_bytes: int
) -> None:
    file, disk = tmp_path / "lines.jsonl", NearlyFull(num_bytes)
    append(file, [{"number": 1}])
    before = file.read_bytes()

    with monkeypatch.context() as patched:
        patched.setattr("tts_eval.rundir.json_lines.os_write", disk.write)
        with pytest.raises(NotKept, match=r"lines\.jsonl could not be written: No space left on device"):
            append(file, [{"number": 2}])
    assert file.read_bytes() == before

    append(file, [{"number": 3}])
    assert list(read_lines(file)) == [{"number": 1}, {"number": 3}]


@pytest.mark.parametrize(
    "torn", [b'{"number": 2, "te', b"", b"null", b'{"number": 2, {"number": 3}', b"\xff"]
)
def test_a_line_that_is_no_object_is_named_and_left_out(tmp_path: Path, torn: bytes) -> None:
    file = tmp_path / "lines.jsonl"
    sound = b'{"number":1}\n', b'{"number":4}\n'
    file.write_bytes(sound[0] + torn + b"\n" + sound[1])

    with pytest.warns(UserWarning, match=r"lines\.jsonl, line 2: no JSON object"):
        assert list(read_lines(file)) == [{"number": 1}, {"number": 4}]
    with pytest.warns(UserWarning, match=r"lines\.jsonl, line 2: no JSON object"):
        assert whole_lines(file) == b"".join(sound)
