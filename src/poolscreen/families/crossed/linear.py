"""What is linear in the levels of the cell lines and in the effect of a gene."""

from typing import NamedTuple

from poolscreen.arrays import FloatArray, IntArray


class Linear(NamedTuple):
    """Quantities that are normal given `z` and `x` (see `poolscreen.families.crossed.given`).

    The mean of a row is `centre` + `z` times z + `x` times x of its gene. Rows of the same kind
    have all but their `centre` in common.

    Attributes
    ----------
    gene, kind : numpy.ndarray, shape (rows,)
        Gene and kind of each row.
    layout : numpy.ndarray, shape (kinds,)
        Layout of the genes that rows of this kind belong to.
    z : numpy.ndarray, shape (points, kinds, cell lines)
    x : numpy.ndarray, shape (points, kinds)
    variance : numpy.ndarray, shape (points, kinds)
        What is left of it given `z` and `x`.
    centre : numpy.ndarray, shape (points, rows)
    """

    gene: IntArray
    kind: IntArray
    layout: IntArray
    z: FloatArray
    x: FloatArray
    variance: FloatArray
    centre: FloatArray
