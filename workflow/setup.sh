#!/bin/sh
# Set up .venv as uv.lock says. Needs uv, or any Python 3.9+ to fetch uv with.
set -eu
cd "$(dirname "$0")/.."

# Settings of other projects would lead uv to other environments.
unset UV_PYTHON UV_PROJECT_ENVIRONMENT VIRTUAL_ENV

fail() {
    printf 'error: %s\n' "$@" >&2
    exit 1
}

find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 \
        python /usr/bin/python3; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
}

# A name on PATH may be a shim that does not run here, so it is tried.
if uv --version >/dev/null 2>&1; then
    uv=uv
else
    uv=.uv/bin/uv
    if ! "$uv" --version >/dev/null 2>&1; then
        python=$(find_python)
        [ -n "$python" ] || fail "there is no Python 3.9 or newer, and no uv." \
            "Install one of them: https://docs.astral.sh/uv/getting-started/installation/"
        echo "fetching uv from PyPI"
        rm -rf .uv
        { "$python" -m venv .uv && .uv/bin/python -m pip install --quiet --require-hashes \
            --requirement workflow/uv.txt; } >&2 || {
            rm -rf .uv
            fail "uv could not be fetched from PyPI with $python; is there a network?" \
                "You can install uv by hand: https://docs.astral.sh/uv/getting-started/installation/"
        }
    fi
fi

# Compiled at once, as some machines forbid Python to keep what it compiles.
sync() {
    "$uv" sync --locked --compile-bytecode "$@" ||
        fail "the environment in .venv could not be set up; see above."
}

sync
for package in $(.venv/bin/python -I workflow/damaged.py); do
    echo "$package is damaged in .venv, and is installed anew"
    set -- "$@" --reinstall-package "$package"
done
[ $# = 0 ] || sync "$@"
