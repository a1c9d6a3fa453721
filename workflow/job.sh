#!/bin/sh
# Run a step of the workflow: job.sh PYTHON STEP NAME. One that is killed cannot say so itself.
python=$1
shift
"$python" -m press "$@" || {
    status=$?
    [ "$status" -le 128 ] || echo "error: $* was killed by signal $((status - 128))" >&2
    exit "$status"
}
