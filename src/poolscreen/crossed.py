r"""Models of genes crossed with cell lines, all effects integrated out, and the exact draws back.

The observations are the sum of independent normal effects: of a gene, of its sgRNA, of a cell
line. Given the scales they are jointly normal, with a covariance matrix whose inverse and
determinant come level by level: first the sgRNAs are eliminated, then the genes, then the cell
lines, last what all share.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.distributions.transforms import log_exp_m1
from scipy import stats

from poolscreen.errors import PoolscreenError
from poolscreen.marginal import DRAWS_AT_A_TIME, MEAN_SD, SCALE_RATE, samples
from poolscreen.screen import FloatArray, Screen


@dataclass(frozen=True)
class Counts:
    """What a screen tells of the scales: sums by gene and by pattern of observation.

    A *pattern* is how often an sgRNA was observed in each cell line. A complete screen has one.

    Attributes
    ----------
    n : numpy.ndarray, shape (P, cell lines)
        Observations of an sgRNA of each pattern, by cell line.
    sgrnas, total : numpy.ndarray, shape (genes, P)
        Number of sgRNAs of each gene and pattern, and the sum of their observations.
    squares : numpy.ndarray, shape (P,)
        Sum, over the sgRNAs of a pattern, of the square of the sum of their observations.
    cell_total : numpy.ndarray, shape (cell lines,)
        Sum of the observations in each cell line.
    sum_of_squares : float
        Of all observations.

    Examples
    --------
    >>> from poolscreen.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    >>> found = count(screen)
    >>> found.n.tolist(), found.sgrnas.tolist()
    ([[1.0, 1.0]], [[1], [2]])
    """

    n: Any
    sgrnas: Any
    total: Any
    squares: Any
    cell_total: Any
    sum_of_squares: Any

    def as_data(self) -> dict[str, FloatArray]:
        """Return the attributes by name, as arrays of floats.

        Returns
        -------
        dict of str to numpy.ndarray

        Examples
        --------
        >>> from poolscreen.simulate import Design, simulate
        >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
        >>> {name: values.shape for name, values in count(screen).as_data().items()}["total"]
        (2, 1)
        """
        return {
            field.name: np.asarray(getattr(self, field.name), dtype=np.float64)
            for field in fields(self)
        }


def by_sgrna(screen: Screen) -> tuple[FloatArray, FloatArray]:
    """Count and add up the observations of each sgRNA in each cell line.

    Parameters
    ----------
    screen : Screen
        The data.

    Returns
    -------
    n, total : numpy.ndarray, shape (sgRNAs, cell lines)
        Number of observations, and their sum (log fold changes).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"cell_line": ["A", "A"], "sgRNA": "s", "gene": "g", "log_fc": [1, 2]})
    >>> n, total = by_sgrna(Screen(table))
    >>> n.tolist(), total.tolist()
    ([[2.0]], [[3.0]])
    """
    shape = (len(screen.sgrnas), len(screen.cell_lines))
    unit = screen.sgrna_idx * shape[1] + screen.cell_idx
    n = np.bincount(unit, minlength=shape[0] * shape[1]).astype(np.float64)
    total = np.bincount(unit, screen.log_fc, minlength=n.size)
    return n.reshape(shape), total.reshape(shape)


def count(screen: Screen) -> Counts:
    """Reduce a screen to what the marginal likelihood of a crossed model needs.

    Parameters
    ----------
    screen : Screen
        Any number of replicates, equal or not; combinations may be missing.

    Returns
    -------
    Counts

    Examples
    --------
    An sgRNA that was not seen in the second cell line has a pattern of its own:

    >>> from poolscreen.simulate import Design, simulate
    >>> table, _ = simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))
    >>> count(Screen(table.drop(index=1))).n.tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    n, total = by_sgrna(screen)
    patterns, pattern = np.unique(n, axis=0, return_inverse=True)
    shape = (len(screen.genes), len(patterns))
    place = screen.gene_of_sgrna * shape[1] + pattern
    of_sgrna = total.sum(1)
    return Counts(
        n=patterns,
        sgrnas=np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape),
        total=np.bincount(place, of_sgrna, minlength=shape[0] * shape[1]).reshape(shape),
        squares=np.bincount(pattern, of_sgrna**2, minlength=shape[1]),
        cell_total=total.sum(0),
        sum_of_squares=float((screen.log_fc**2).sum()),
    )


@dataclass(frozen=True)
class _Nested:
    """The covariance matrix V of all observations without the cell lines, by its inverse.

    Vectors enter as sums over the observations, by gene and pattern. `n` and `k` are `Counts.n`
    and `Counts.sgrnas`; the others are variances. What is computed twice stands once in the
    compiled graph.
    """

    n: Any
    k: Any
    noise: Any
    sgrna: Any
    gene: Any

    @property
    def d(self) -> Any:
        """Precision of what an sgRNA tells of its gene, by observation of it."""
        return 1 / (self.noise + self.sgrna * self.n.sum(axis=1))

    @property
    def growth(self) -> Any:
        """Variance of the effect of a gene before it is observed, relative to that after."""
        return 1 + self.gene * (self.k * self.n.sum(axis=1) * self.d).sum(axis=1)

    @property
    def shrink(self) -> Any:
        return self.gene / self.growth

    @property
    def linked(self) -> Any:
        return self.k * self.d

    @property
    def own(self) -> Any:
        """What cell lines share through the sgRNAs of a pattern, the genes aside."""
        return self.sgrna / self.noise * self.linked.sum(axis=0)

    def log_det(self) -> Any:
        of_sgrnas = (self.k.sum(axis=0) * pt.log(self.noise * self.d)).sum()
        n_obs = (self.k * self.n.sum(axis=1)).sum()
        return n_obs * pt.log(self.noise) - of_sgrnas + pt.log(self.growth).sum()

    def product(self, u: Any, v: Any, uv: Any, uv_by_pattern: Any) -> Any:
        """Return u' V^-1 v; `uv` sums over observations, `uv_by_pattern` over sums of sgRNAs."""
        of_u, of_v = (u * self.d).sum(axis=1), (v * self.d).sum(axis=1)
        by_sgrna = self.sgrna / self.noise * (self.d * uv_by_pattern).sum()
        return uv / self.noise - by_sgrna - (self.shrink * of_u * of_v).sum()

    def by_line(self, u: Any, in_lines: Any) -> Any:
        """Return Z' V^-1 u, by cell line; `in_lines` are the sums of u itself."""
        pull = self.shrink * (u * self.d).sum(axis=1)
        weight = self.sgrna / self.noise * self.d * u.sum(axis=0)
        weight += (self.linked * pull[:, None]).sum(axis=0)
        return in_lines / self.noise - (weight[:, None] * self.n).sum(axis=0)


@dataclass(frozen=True)
class _Lines:
    """What the cell lines add: to the log determinant, and to take from products."""

    log_det: Any
    product: Callable[[Any, Any], Any]


def _lines(nested: _Nested, line: Any, in_line: Any) -> _Lines:
    """Eliminate the cell lines by a matrix with a row for each."""
    n, seen_in = nested.n, pt.dot(nested.linked, nested.n)
    pulled = pt.dot(n.T, nested.own[:, None] * n)
    pulled += pt.dot(seen_in.T, nested.shrink[:, None] * seen_in)
    left = pt.diag(1 + line * in_line / nested.noise) - line * pulled
    inverse = pt.linalg.inv(left)
    return _Lines(
        log_det=pt.linalg.slogdet(left)[1],
        product=lambda u, v: line * pt.dot(u, pt.dot(inverse, v)),
    )


def _lines_by_pattern(nested: _Nested, line: Any, in_line: Any) -> _Lines:
    """Eliminate the cell lines by a matrix with a row for each pattern, where these are fewer."""
    n, linked = nested.n, nested.linked
    diagonal = 1 + line * in_line / nested.noise
    pulled = pt.diag(nested.own) + pt.dot(linked.T, nested.shrink[:, None] * linked)
    left = pt.eye(n.shape[0]) - line * pt.dot(pt.dot(n / diagonal, n.T), pulled)
    inner = line * pt.dot(pulled, pt.linalg.inv(left))

    def product(u: Any, v: Any) -> Any:
        nu, nv = (pt.dot(n, w / diagonal) for w in (u, v))
        return line * ((u * v / diagonal).sum() + pt.dot(nu, pt.dot(inner, nv)))

    log_det = pt.log(diagonal).sum() + pt.linalg.slogdet(left)[1]
    return _Lines(log_det=log_det, product=product)


@dataclass(frozen=True)
class Crossed:
    r"""A model of effects of genes, perhaps of their sgRNAs, crossed with those of cell lines.

    ``log_fc ~ Normal(alpha_s + beta_c, sigma)`` with ``alpha_s ~ Normal(mu + gamma_g,
    sigma_alpha)``, and ``gamma_g`` and ``beta_c`` either summing to zero about an intercept ``mu``,
    or each about a mean of their own.

    Attributes
    ----------
    nested_sd : str or None
        `sigma_alpha`, or None where sgRNAs of a gene do not differ.
    two_means : bool
        Whether genes and cell lines have a mean each, ``mu_gamma`` and ``mu_beta``, in place of an
        intercept and effects that sum to zero.

    Examples
    --------
    Only the scales are sampled: means and effects are all normal given these.

    >>> Crossed().parameters
    ['sigma_gamma', 'sigma_alpha', 'sigma_beta', 'sigma']
    >>> Crossed(nested_sd=None).parameters
    ['sigma_gamma', 'sigma_beta', 'sigma']
    """

    nested_sd: str | None = "sigma_alpha"
    two_means: bool = False

    @property
    def parameters(self) -> list[str]:
        """Names of what is sampled: the scales, a list of str, the noise last.

        Examples
        --------
        >>> Crossed(two_means=True).parameters
        ['sigma_gamma', 'sigma_alpha', 'sigma_beta', 'sigma']
        """
        nested = [self.nested_sd] if self.nested_sd else []
        return ["sigma_gamma", *nested, "sigma_beta", "sigma"]

    def build(self, screen: Screen) -> pm.Model:
        """Write the model down with everything but the scales integrated out.

        Parameters
        ----------
        screen : Screen
            The data.

        Returns
        -------
        pymc.Model

        Raises
        ------
        PoolscreenError
            If all observations are equal.

        Examples
        --------
        >>> from poolscreen.simulate import Design, simulate
        >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
        >>> [rv.name for rv in Crossed().build(screen).free_RVs]
        ['sigma_gamma', 'sigma_alpha', 'sigma_beta', 'sigma']
        """
        found = self._data(screen)
        with pm.Model() as model:
            known = {k: pm.Data(k, v, shape=v.shape) for k, v in found.items()}
            data = Counts(**{"squares": 0.0, **known})
            # The logarithm of a scale that may be 0 has a long tail. This is like it near 0, and
            # like the scale itself far from there.
            scales = {
                name: pm.Exponential(name, SCALE_RATE, default_transform=log_exp_m1)
                for name in self.parameters
            }
            pm.Potential("log_fc", self.log_marginal_likelihood(data, scales))
        return model

    def data_of(self, model: pm.Model, screen: Screen) -> dict[str, FloatArray]:
        """Reduce another screen to data for a model that is built, or even compiled, already.

        Parameters
        ----------
        model : pymc.Model
            See `build`.
        screen : Screen
            The other data.

        Returns
        -------
        dict of str to numpy.ndarray

        Raises
        ------
        PoolscreenError
            If the other screen differs in genes, cell lines or in the number of its patterns.

        Examples
        --------
        >>> from poolscreen.simulate import Design, simulate
        >>> design = Design(n_cell_lines=2, sgrnas_per_gene=(1, 2))
        >>> model = Crossed().build(Screen(simulate(design)[0]))
        >>> other = Screen(simulate(Design(n_cell_lines=3, sgrnas_per_gene=(1, 2)))[0])
        >>> Crossed().data_of(model, other)
        Traceback (most recent call last):
        poolscreen.errors.PoolscreenError: the model was built for 1 patterns in 2 cell lines ...
        """
        data = self._data(screen)
        for name in ("n", "total"):
            expected = model[name].get_value().shape
            if data[name].shape != expected:
                patterns, lines = model["n"].get_value().shape
                raise PoolscreenError(
                    f"the model was built for {patterns} patterns in {lines} cell lines and "
                    f"{len(model['total'].get_value())} genes, and this screen differs; build it "
                    "anew for this screen"
                )
        return data

    def _data(self, screen: Screen) -> dict[str, FloatArray]:
        data = _informative(screen).as_data()
        if not self.nested_sd:  # a compiled model does not know what it does not use
            del data["squares"]
        return data

    def log_marginal_likelihood(self, data: Counts, scales: Mapping[str, Any]) -> Any:
        r"""Log density of all observations given the scales, everything else integrated out.

        Without what all observations share, their covariance matrix is
        :math:`V_0 = \sigma^2 I + \sigma_\alpha^2 Z_s Z_s' + \sigma_\gamma^2 Z_g Z_g' +
        \sigma_\beta^2 Z_c Z_c'`, with indicator matrices of sgRNAs, genes and cell lines. Its
        levels are eliminated one at a time by the matrix inversion lemma (Henderson and Searle
        1981, SIAM Review 23, 53-60). What is shared adds :math:`c\,\mathbf{1}\mathbf{1}'`: the
        variances of two means, :math:`c = 2 \cdot 5^2`; or that of an intercept,
        :math:`c = 5^2 - \sigma_\gamma^2 / G - \sigma_\beta^2 / C`, as effects that sum to zero are
        independent ones less their mean.

        Parameters
        ----------
        data : Counts
            The data, as arrays or tensors.
        scales : mapping of str to tensor or float
            The scales by name.

        Returns
        -------
        tensor
            Scalar; all constants are included.

        Examples
        --------
        One observation, with two means: its variance is that of all its parts together.

        >>> import pandas as pd
        >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [2.0]})
        >>> scales = {"sigma_gamma": 1.0, "sigma_alpha": 2.0, "sigma_beta": 3.0, "sigma": 4.0}
        >>> log_p = Crossed(two_means=True).log_marginal_likelihood(count(Screen(table)), scales)
        >>> sd = (2 * 5**2 + 1**2 + 2**2 + 3**2 + 4**2) ** 0.5
        >>> log_p.eval().round(4).item(), stats.norm.logpdf(2, 0, sd).round(4).item()
        (-3.135, -3.135)
        """
        of = {name: pt.cast(value, "float64") ** 2 for name, value in scales.items()}
        noise, gene, line = of["sigma"], of["sigma_gamma"], of["sigma_beta"]
        sgrna = of[self.nested_sd] if self.nested_sd else pt.constant(0.0)
        n, k, total = map(pt.as_tensor, (data.n, data.sgrnas, data.total))
        nested = _Nested(n, k, noise, sgrna, gene)

        seen = n.sum(axis=1)  # observations of an sgRNA, by pattern
        in_line = (k.sum(axis=0)[:, None] * n).sum(axis=0)  # and of a cell line
        ones = k * seen
        yy = nested.product(total, total, data.sum_of_squares, data.squares)
        y1 = nested.product(total, ones, total.sum(), (total * seen).sum(axis=0))
        one1 = nested.product(ones, ones, ones.sum(), (ones * seen).sum(axis=0))

        by_pattern = n.type.shape[0] < n.type.shape[1]
        lines = (_lines_by_pattern if by_pattern else _lines)(nested, line, in_line)
        y_line = nested.by_line(total, data.cell_total)
        one_line = nested.by_line(ones, in_line)
        yy -= lines.product(y_line, y_line)
        y1 -= lines.product(y_line, one_line)
        one1 -= lines.product(one_line, one_line)

        shared = self.shared(gene, line, k.shape[0], n.shape[1])
        growth = 1 + shared * one1
        log_det = nested.log_det() + lines.log_det + pt.log(growth)
        n_obs = ones.sum()
        return -0.5 * (n_obs * np.log(2 * np.pi) + log_det + yy - shared * y1**2 / growth)

    def shared(self, gene: Any, line: Any, n_genes: Any, n_lines: Any) -> Any:
        """Return what all observations share beside effects that are independent.

        Parameters
        ----------
        gene, line : tensor or float
            Variances of the effects of genes and of cell lines.
        n_genes, n_lines : int
            Their numbers.

        Returns
        -------
        tensor or float
            A covariance; below 0 where effects that sum to zero are large.

        Examples
        --------
        >>> Crossed().shared(1.0, 1.0, 4, 2), Crossed(two_means=True).shared(1.0, 1.0, 4, 2)
        (24.25, 50.0)
        """
        if self.two_means:
            return 2 * MEAN_SD**2
        return MEAN_SD**2 - gene / n_genes - line / n_lines

    def log_joint(self, screen: Screen, values: Mapping[str, Any]) -> float:
        """Log density of all parameters and observations.

        Parameters
        ----------
        screen : Screen
            The data.
        values : mapping of str to float or numpy.ndarray
            Means, scales and effects by their names.

        Returns
        -------
        float

        Raises
        ------
        KeyError
            If a value is missing.

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [0.0]})
        >>> values = dict.fromkeys(["mu_gamma", "mu_beta"], 0.0)
        >>> values |= dict.fromkeys(["sigma_gamma", "sigma_beta", "sigma"], 1.0)
        >>> values |= {"gamma_g": np.zeros(1), "beta_c": np.zeros(1)}
        >>> model = Crossed(nested_sd=None, two_means=True)
        >>> expected = stats.norm.logpdf(0, 0, [5, 5, 1, 1, 1]).sum() + 3 * stats.expon.logpdf(1)
        >>> bool(np.isclose(model.log_joint(Screen(table), values), expected))
        True
        """
        gene, line = values["gamma_g"], values["beta_c"]
        scales = [values[name] for name in self.parameters]
        total = stats.expon.logpdf(scales, scale=1 / SCALE_RATE).sum()
        if self.two_means:
            means, level = (values["mu_gamma"], values["mu_beta"]), 0.0
            total += stats.norm.logpdf(means, 0, MEAN_SD).sum()
            total += stats.norm.logpdf(gene, means[0], values["sigma_gamma"]).sum()
            total += stats.norm.logpdf(line, means[1], values["sigma_beta"]).sum()
        else:
            level = values["mu"]
            total += stats.norm.logpdf(level, 0, MEAN_SD)
            total += _sum_to_zero(gene, values["sigma_gamma"])
            total += _sum_to_zero(line, values["sigma_beta"])
        lowest = level + gene[screen.gene_of_sgrna]
        if self.nested_sd:
            about, lowest = lowest, values["alpha_s"]
            total += stats.norm.logpdf(lowest, about, values[self.nested_sd]).sum()
        mu = lowest[screen.sgrna_idx] + line[screen.cell_idx]
        return float(total + stats.norm.logpdf(screen.log_fc, mu, values["sigma"]).sum())

    def draw_effects(
        self, screen: Screen, posterior: xr.Dataset, rng: np.random.Generator
    ) -> xr.Dataset:
        r"""Draw means and effects, exactly: one draw per draw of the scales.

        Parameters and a screen are drawn from the prior; the parameters are then moved by what the
        difference between the observed screen and the drawn one tells of them,
        :math:`\theta + \text{Cov}(\theta, y) V^{-1} (y_\text{observed} - y)` (conditioning by
        kriging, Journel and Huijbregts 1978; Doucet 2010).

        Parameters
        ----------
        screen : Screen
            The data that the posterior was sampled with.
        posterior : xarray.Dataset
            Draws of the scales, dimensions `chain` and `draw`.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        xarray.Dataset
            `mu` (or `mu_gamma`, `mu_beta`), `gamma_g`, `beta_c` and, where the model has them,
            `alpha_s`; dimensions `chain`, `draw` and `gene`, `cell_line` or `sgRNA`.

        Examples
        --------
        >>> from poolscreen.simulate import Design, simulate
        >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
        >>> scales = dict.fromkeys(Crossed().parameters, (("chain", "draw"), np.full((2, 3), 0.5)))
        >>> drawn = Crossed().draw_effects(screen, xr.Dataset(scales), np.random.default_rng(103))
        >>> {name: values.shape for name, values in drawn.items()}["alpha_s"]
        (2, 3, 3)
        >>> np.allclose(drawn["gamma_g"].sum("gene"), 0)
        True
        """
        values = samples(posterior)
        size = values["sigma"].size
        some = [slice(i, i + DRAWS_AT_A_TIME) for i in range(0, size, DRAWS_AT_A_TIME)]
        given = by_sgrna(screen)
        parts = [
            self._draw(screen, given, {k: v[at] for k, v in values.items()}, rng) for at in some
        ]
        sizes = (posterior.sizes["chain"], posterior.sizes["draw"])
        rows = {"gamma_g": "gene", "beta_c": "cell_line", "alpha_s": "sgRNA"}
        drawn = {}
        for name in parts[0]:
            dims = ("chain", "draw", *([rows[name]] if name in rows else []))
            whole = np.concatenate([part[name] for part in parts])
            drawn[name] = (dims, whole.reshape(*sizes, *whole.shape[1:]))
        used = {dim for dims, _ in drawn.values() for dim in dims}
        labels = {d: v for d, v in screen.coords.items() if d in used}
        sample = {dim: posterior[dim] for dim in ("chain", "draw")}
        return xr.Dataset(drawn, coords=sample | labels)

    def _draw(
        self,
        screen: Screen,
        given: tuple[FloatArray, FloatArray],
        scales: Mapping[str, FloatArray],
        rng: np.random.Generator,
    ) -> dict[str, FloatArray]:
        """Draw everything for some draws of the scales; the first dimension is the draw."""
        n, observed = given
        size, of_gene = scales["sigma"].size, screen.gene_of_sgrna

        def normal(sd: FloatArray | float, *shape: int) -> FloatArray:
            spread = np.reshape(sd, (-1, *[1] * len(shape)))
            return spread * rng.standard_normal((size, *shape))

        gene = normal(scales["sigma_gamma"], len(screen.genes))
        line = normal(scales["sigma_beta"], len(screen.cell_lines))
        if self.two_means:
            means = {name: normal(MEAN_SD) for name in ("mu_gamma", "mu_beta")}
            gene += means["mu_gamma"][:, None]
            line += means["mu_beta"][:, None]
            lowest = gene[:, of_gene]
        else:
            means = {"mu": normal(MEAN_SD)}
            gene -= gene.mean(1, keepdims=True)
            line -= line.mean(1, keepdims=True)
            lowest = means["mu"][:, None] + gene[:, of_gene]
        if self.nested_sd:
            lowest = lowest + normal(scales[self.nested_sd], len(screen.sgrnas))
        noise = normal(scales["sigma"], *n.shape)
        seen = n * (lowest[:, :, None] + line[:, None, :]) + np.sqrt(n) * noise

        told = self._solve(screen, n, observed - seen, scales)
        of_line, of_sgrna = told.sum(1), told.sum(2)
        by_gene = _in_genes(screen, of_sgrna)
        gene_step, line_step = (
            scales[name][:, None] ** 2 * sums
            for name, sums in (("sigma_gamma", by_gene), ("sigma_beta", of_line))
        )
        shared = MEAN_SD**2 * told.sum((1, 2))
        means = {name: mean + shared for name, mean in means.items()}
        shared = shared[:, None]
        if self.two_means:
            gene_step, line_step = gene_step + shared, line_step + shared
            step = gene_step[:, of_gene]
        else:
            gene_step -= gene_step.mean(1, keepdims=True)
            line_step -= line_step.mean(1, keepdims=True)
            step = shared + gene_step[:, of_gene]
        drawn = {**means, "gamma_g": gene + gene_step, "beta_c": line + line_step}
        if self.nested_sd:
            step = step + scales[self.nested_sd][:, None] ** 2 * of_sgrna
            drawn["alpha_s"] = lowest + step
        return drawn

    def _solve(
        self,
        screen: Screen,
        n: FloatArray,
        total: FloatArray,
        scales: Mapping[str, FloatArray],
    ) -> FloatArray:
        """Apply the inverse covariance matrix to observations, of which only sums matter.

        `total` and what is returned have the shape (draws, sgRNAs, cell lines): sums over the
        observations of an sgRNA in a cell line.
        """

        def variance(name: str | None) -> FloatArray:
            return scales[name][:, None] ** 2 if name else np.zeros((1, 1))

        noise, sgrna = variance("sigma"), variance(self.nested_sd)
        gene, line = variance("sigma_gamma"), variance("sigma_beta")
        d = 1 / (noise + sgrna * n.sum(1))
        linked = n * d[:, :, None]
        shrink = gene / (1 + gene * _in_genes(screen, linked.sum(2)))

        def without_lines(sums: FloatArray) -> FloatArray:
            of_sgrna = sums.sum(2) * d
            of_gene = shrink * _in_genes(screen, of_sgrna)
            pulled = (sgrna / noise) * of_sgrna  # into the sgRNA, then into the gene
            return (
                sums / noise[:, :, None]
                - n * pulled[:, :, None]
                - linked * of_gene[:, screen.gene_of_sgrna][:, :, None]
            )

        of_genes = _in_genes(screen, linked)
        within = np.eye(n.shape[1]) * n.sum(0) / noise[:, :, None]
        within -= n.T @ ((sgrna / noise * d)[:, :, None] * n)
        within -= of_genes.transpose(0, 2, 1) @ (shrink[:, :, None] * of_genes)
        matrix = np.eye(n.shape[1]) + line[:, :, None] * within

        def solve(sums: FloatArray) -> FloatArray:
            reduced = without_lines(sums)
            effect = np.linalg.solve(matrix, (line * reduced.sum(1))[:, :, None])
            return reduced - without_lines(n * effect[:, None, :, 0])

        found, ones = solve(total), solve(np.broadcast_to(n, total.shape))
        shared = self.shared(gene, line, len(screen.genes), n.shape[1])
        factor = shared * found.sum((1, 2))[:, None]
        factor /= 1 + shared * ones.sum((1, 2))[:, None]
        result: FloatArray = found - factor[:, :, None] * ones
        return result


def _in_genes(screen: Screen, values: FloatArray) -> FloatArray:
    """Add up the sgRNAs of each gene; shape (draws, sgRNAs) to (draws, genes)."""
    order = np.argsort(screen.gene_of_sgrna, kind="stable")
    starts = np.searchsorted(screen.gene_of_sgrna[order], np.arange(len(screen.genes)))
    return np.add.reduceat(values[:, order], starts, axis=1)


def _sum_to_zero(effects: FloatArray, sd: float) -> float:
    """Log density of PyMC's ZeroSumNormal: of all directions but one."""
    free = len(effects) - 1
    constant = free * np.log(2 * np.pi * sd**2)
    return float(-0.5 * (constant + (effects**2).sum() / sd**2))


def _informative(screen: Screen) -> Counts:
    if len(screen.log_fc) < 2 or np.ptp(screen.log_fc) == 0:
        raise PoolscreenError(
            f"all {len(screen.log_fc)} values of log_fc are {screen.log_fc[0]:g}: with zero "
            "variance there is nothing to estimate; is this the right column?"
        )
    return count(screen)
