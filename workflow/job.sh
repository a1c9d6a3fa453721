#!/bin/sh
# Run a step of the workflow: job.sh PYTHON STEP NAME. One that fails says so last; where it was
# killed, or a library ended it at once, nothing else in its log does.
python=$1
shift
"$python" -m press "$@" || {
    status=$?
    if [ "$status" -gt 128 ]; then
        echo "$* was killed by signal $((status - 128))" >&2
    else
        echo "$* ended with status $status" >&2
    fi
    exit "$status"
}
