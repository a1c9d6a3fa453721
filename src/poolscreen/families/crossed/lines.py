"""The posterior covariance of the levels of the cell lines in a crossed model."""

from functools import cached_property

import numpy as np

from poolscreen.arrays import FloatArray


class Lines:
    r"""The posterior covariance of z.

    With the information `J` of the observations, :math:`H = (I + \sigma_\beta^2 J)^{-1}` and the
    prior covariance :math:`\sigma_\beta^2 I + \omega 1 1'` it is :math:`\sigma_\beta^2 H +
    H 1\, 1' H\, \omega / (1 + \omega 1' J H 1)` (Henderson and Searle 1981, SIAM Review 23,
    53-60): nothing is divided by a scale that may be zero.

    Attributes
    ----------
    log_det : numpy.ndarray, shape (points,)
        Log determinant of the prior covariance times the posterior precision.
    """

    def __init__(self, line: FloatArray, omega: FloatArray, known: "Few | Many") -> None:
        self.line, self.known = line[:, None, None], known
        ones = np.ones((len(line), known.n_lines, 1))
        self.of_mean = known.apply_h(ones)
        growth = 1 + omega * known.apply_j(self.of_mean).sum(axis=(1, 2))
        self.weight = (omega / growth)[:, None, None]
        with np.errstate(invalid="ignore"):  # far out, where rounding leaves less than nothing
            self.log_det = known.log_det + np.log(growth)

    def solve(self, vectors: FloatArray) -> FloatArray:
        """Apply the covariance to vectors; shape (points, cell lines, vectors)."""
        shared = self.weight * (self.of_mean.transpose(0, 2, 1) @ vectors)
        solved: FloatArray = self.line * self.known.apply_h(vectors) + self.of_mean * shared
        return solved

    @cached_property
    def covariance(self) -> FloatArray:
        """The covariance; shape (points, cell lines, cell lines)."""
        return self.solve(np.eye(self.known.n_lines)[None])


class Many:
    """J and H of `Lines` as matrices."""

    def __init__(self, line: FloatArray, information: FloatArray) -> None:
        self.n_lines = information.shape[1]
        matrix = np.eye(self.n_lines) + line[:, None, None] * information
        self.j, self.h = information, np.linalg.inv(matrix)
        self.log_det = np.linalg.slogdet(matrix)[1]

    def apply_j(self, vectors: FloatArray) -> FloatArray:
        """Return J times vectors, shape (points, cell lines, vectors)."""
        product: FloatArray = self.j @ vectors
        return product

    def apply_h(self, vectors: FloatArray) -> FloatArray:
        """Return H times vectors, shape (points, cell lines, vectors)."""
        product: FloatArray = self.h @ vectors
        return product


class Few:
    """The same where sgRNAs have fewer patterns N than there are lines: J = D - N' `shared` N.

    The lemma makes H from a matrix that has a row for each pattern.
    """

    def __init__(
        self, line: FloatArray, diagonal: FloatArray, rows: FloatArray, shared: FloatArray
    ) -> None:
        self.n_lines = diagonal.shape[1]
        self.diagonal, self.rows, self.shared = diagonal, rows, shared
        self.growth = 1 + line[:, None] * diagonal
        middle = line[:, None, None] * shared
        # Far out nothing but rounding is left of it, and it must not be singular.
        inner = (1 + 4 * np.finfo(float).eps) * np.eye(len(rows)) - middle @ (
            (rows / self.growth[:, None, :]) @ rows.T
        )
        self.inner = np.linalg.solve(inner, middle)
        self.log_det = np.log(self.growth).sum(axis=1) + np.linalg.slogdet(inner)[1]

    def apply_j(self, vectors: FloatArray) -> FloatArray:
        """Return J times vectors, shape (points, cell lines, vectors)."""
        through = self.rows.T @ (self.shared @ (self.rows @ vectors))
        product: FloatArray = self.diagonal[:, :, None] * vectors - through
        return product

    def apply_h(self, vectors: FloatArray) -> FloatArray:
        """Return H times vectors, shape (points, cell lines, vectors)."""
        scaled = vectors / self.growth[:, :, None]
        through = self.rows.T @ (self.inner @ (self.rows @ scaled))
        product: FloatArray = scaled + through / self.growth[:, :, None]
        return product
