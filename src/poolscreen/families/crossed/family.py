"""Models of genes crossed with cell lines, whose effects integrate out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.distributions.transforms import log_exp_m1
from scipy import stats

from poolscreen.arrays import FloatArray
from poolscreen.errors import PoolscreenError
from poolscreen.families.crossed.data import Counts, _informative, by_sgrna
from poolscreen.families.crossed.effects import _in_genes
from poolscreen.families.crossed.likelihood import _lines, _lines_by_pattern, _Nested, _sum_to_zero
from poolscreen.families.family import DRAWS_AT_A_TIME, MEAN_SD, SCALE_RATE, samples
from poolscreen.screens.table import Screen


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
        >>> from poolscreen.screens.simulate import Design, simulate
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
        >>> from poolscreen.screens.simulate import Design, simulate
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

        >>> from poolscreen.families.crossed.data import count
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
        >>> from poolscreen.screens.simulate import Design, simulate
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
