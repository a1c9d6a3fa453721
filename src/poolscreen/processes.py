"""What every process that computes is told about threads."""

# The environment of every job: one thread each, as jobs run side by side, and one hash seed, as
# PyMC draws its graphs in the order of a set.
# Chains and jobs run side by side; threads within one would only wait for each other.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
