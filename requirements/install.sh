#!/usr/bin/env bash
# Makes .venv hold exactly one pinned list and this checkout, editable; does nothing where it already does.
# Knows nothing of what the project does, nor of which packages the lists name but torch.
#
#   PYTHON=python3.12   this interpreter instead of the first one from 3.11 to 3.13
#   ACCELERATOR=cpu     requirements/cpu.txt or cuda.txt whatever nvidia-smi says
set -euo pipefail
cd "$(dirname "$0")/.."

TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu
MIN_DRIVER=580 # of CUDA 13 (CUDA Toolkit Release Notes, table 2)
CUDA_KB=$((12 * 1048576)) # wheels of 4.1 GB, and what they unpack to
STAMP=.venv/.installed
LOG=.venv/install.log

say() { echo "install: $*"; }
die() { echo "install: error: $*" >&2; exit 1; }
# Warnings alone are no news: pip prints one for every index that has not heard of a package.
die_of_pip() { grep -v "^WARNING" "$LOG" | tail -n 3 >&2; die "$* (all of pip's output: $LOG)"; }

in_range() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

pick_python() {
    if [ -n "${PYTHON:-}" ]; then
        in_range "$PYTHON" || die "PYTHON=$PYTHON is no Python from 3.11 to 3.13"
        echo "$PYTHON"
        return
    fi
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if in_range "$candidate"; then echo "$candidate"; return; fi
    done
    die "no Python from 3.11 to 3.13 among python3, python3.13, python3.12, python3.11; name one with PYTHON="
}

pick_accelerator() {
    case "${ACCELERATOR:-}" in
        cpu | cuda) echo "$ACCELERATOR" ;;
        "") if timeout 30 nvidia-smi -L 2>/dev/null | grep -q '^GPU '; then echo cuda; else echo cpu; fi ;;
        *) die "ACCELERATOR=$ACCELERATOR; allowed are cpu and cuda" ;;
    esac
}

# What vLLM's CUDA build needs besides its packages; said before 4 GB are fetched for nothing. A machine that
# shows no driver may be one where an image is made for others.
check_cuda() {
    local driver headers free_kb
    driver=$(timeout 30 nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1 || true)
    if [ -n "$driver" ] && [ "${driver%%.*}" -lt "$MIN_DRIVER" ] 2>/dev/null; then
        die "the GPU's driver is $driver and CUDA 13 needs $MIN_DRIVER or later; ACCELERATOR=cpu installs the CPU build"
    fi
    command -v "${CC:-gcc}" >/dev/null ||
        die "no ${CC:-gcc}: Triton compiles with it at run time (on Debian and Ubuntu: the package gcc)"
    headers=$("$1" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    [ -e "$headers/Python.h" ] ||
        die "no Python.h in $headers: Triton compiles against it (on Debian and Ubuntu: the package python3-dev)"
    free_kb=$(df -Pk . | awk 'NR == 2 {print $4}')
    [ "$free_kb" -ge "$CUDA_KB" ] ||
        die "$((free_kb / 1048576)) GiB are free here; the CUDA packages want $((CUDA_KB / 1048576)): wheels of 4.1 GB, unpacked"
}

# An isolated build would fetch its build tools unpinned, hence --no-build-isolation.
pip_install() {
    .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check --progress-bar off \
        --no-build-isolation "$@" >>"$LOG" 2>&1
}

# PyTorch's index is asked last, and for torch alone: it also serves old copies of other packages.
install_torch() {
    pip_install --no-deps "$1" || {
        say "not where pip looks; trying PyTorch's index of CPU builds"
        pip_install --no-deps --timeout 20 --retries 1 --index-url "$TORCH_CPU_INDEX" "$1"
    } || die_of_pip "no $1 for $("$python" -V), neither where pip looks nor at $TORCH_CPU_INDEX"
}

[ "$(uname -sm)" = "Linux x86_64" ] || die "the pinned lists are for Linux x86_64, this is $(uname -sm)"
python=$(pick_python)
accelerator=$(pick_accelerator)
list=requirements/$accelerator.txt

# The path counts, because an environment does not survive being moved or copied.
environment=$({ "$python" -V; pwd; cat "$list"; } | sha256sum | cut -c1-64)
project=$(sha256sum <pyproject.toml | cut -c1-64)
installed=$(cat "$STAMP" 2>/dev/null || true)
[ "$installed" != "$environment $project" ] || exit 0

if [ "${installed% *}" != "$environment" ]; then
    say "$("$python" -V), $accelerator, $(grep -c == "$list") packages pinned in $list"
    if [ "$accelerator" = cuda ]; then check_cuda "$python"; fi
    say "a new .venv"
    "$python" -m venv --clear .venv >/dev/null ||
        die "$python -m venv failed (on Debian and Ubuntu it wants the package python3-venv)"
    say "build tools"
    pip_install --constraint "$list" setuptools hatchling || die_of_pip "pip could not install them"
    torch=$(grep -oE '^torch==[^ ]+\+cpu' "$list" || true)
    if [ -n "$torch" ]; then
        say "$torch (about 190 MB)"
        install_torch "$torch"
    fi
    say "all other packages (some minutes)"
    pip_install --no-deps --requirement "$list" || die_of_pip "pip could not install them"
    echo "$environment none" >"$STAMP"
fi
say "this checkout, editable"
pip_install --no-deps --editable . || die_of_pip "pip could not install it"
echo "$environment $project" >"$STAMP"
say "done in $SECONDS s"
