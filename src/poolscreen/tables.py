"""Tables of the chapters: fits side by side, effects beside the truth, shrinkage."""

import json
import logging
import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen.errors import PoolscreenError
from poolscreen.fits import HDI_PROB
from poolscreen.screen import FloatArray, Screen

ENVELOPE_PROB = 0.99  # that a curve of uniform ranks stays within its band
MAX_PARETO_K = (
    0.7  # beyond it, reweighted draws are not to be trusted (Vehtari et al. 2024)
)


def settings(fit: xr.DataTree) -> pd.DataFrame:
    """List how a fit was sampled.

    Returns
    -------
    pandas.DataFrame
        Columns `setting` and `value`.
    """
    chosen = json.loads(fit.attrs["settings"])
    rows = {
        "sampler": f"NUTS ({fit.attrs['sampler']})",
        "form": {
            "joint": "all parameters sampled",
            "marginal": "means and scales sampled, effects integrated out and drawn exactly",
        }[fit.attrs["form"]],
        "chains": str(chosen["chains"]),
        "draws per chain": f"{chosen['draws']:,} after {chosen['tune']:,} of tuning",
        "target acceptance": str(chosen["target_accept"]),
        "seed": str(chosen["seed"]),
    }
    return pd.DataFrame({"setting": rows.keys(), "value": rows.values()})


def diagnostics(fits: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """Put the diagnostics of fits side by side.

    Parameters
    ----------
    fits : mapping of str to xarray.DataTree
        Fits by the names that the table shows.

    Returns
    -------
    pandas.DataFrame
        One row per fit; R-hat and effective sample sizes are the worst over all parameters.
    """
    rows = [
        {
            "fit": name,
            "max R\N{NON-BREAKING HYPHEN}hat": fit.attrs["max_r_hat"],
            "min bulk ESS": round(fit.attrs["min_ess_bulk"]),
            "min tail ESS": round(fit.attrs["min_ess_tail"]),
            "divergences": int(fit.attrs["divergences"]),
            "min BFMI": fit.attrs["min_bfmi"],
            "seconds sampling": fit.attrs["seconds_sampling"],
        }
        for name, fit in fits.items()
    ]
    return pd.DataFrame(rows)


def model_label(name: str) -> str:
    """Return what the tables call a model, for example `7a, no pooling` for `m7a_unpooled`."""
    label = name.removeprefix("_").removeprefix("m")
    return label.replace("_unpooled", ", no pooling").replace(
        "_noncentred", ", not centred"
    )


def samplers(comparison: xr.DataTree, titles: Mapping[str, str]) -> pd.DataFrame:
    """Put samplers side by side.

    Parameters
    ----------
    comparison : xarray.DataTree
        See `poolscreen.comparison.load_samplers`.
    titles : mapping of str to str
        What the table calls each sampler.

    Returns
    -------
    pandas.DataFrame
        One row per model and sampler; R-hat and effective sample sizes are the worst over **all**
        parameters, and the last column is the least bulk ESS per second of sampling.
    """
    rows = [
        {
            "model": model_label(model),
            "sampler": title,
            "max R\N{NON-BREAKING HYPHEN}hat": attempt.attrs["max_r_hat"],
            "min bulk ESS": round(attempt.attrs["min_ess_bulk"]),
            "min tail ESS": round(attempt.attrs["min_ess_tail"]),
            "divergences": int(attempt.attrs["divergences"]),
            "seconds compiling": attempt.attrs["seconds_compiling"],
            "seconds sampling": attempt.attrs["seconds_sampling"],
            "ESS per second": ess_per_second(attempt),
        }
        for model, group in comparison.children.items()
        for sampler, title in titles.items()
        if (attempt := group.children.get(sampler)) is not None
    ]
    return pd.DataFrame(rows)


def ess_per_second(attempt: xr.DataTree) -> float:
    """Return the least bulk effective sample size over all parameters, per second of sampling."""
    return float(attempt.attrs["min_ess_bulk"] / attempt.attrs["seconds_sampling"])


def leave_one_out(
    posterior: xr.Dataset, log_likelihoods: Mapping[str, xr.DataArray]
) -> pd.DataFrame:
    """Estimate how well a model predicts what is left out, from forms of its log likelihood.

    Parameters
    ----------
    posterior : xarray.Dataset
        The draws.
    log_likelihoods : mapping of str to xarray.DataArray
        See `poolscreen.marginal.log_likelihood`.

    Returns
    -------
    pandas.DataFrame
        Columns `log likelihood`, `elpd` (expected log predictive density), `se`, `largest k` and
        `k above 0.7` (share of the observations whose Pareto k says that the estimate fails).
    """
    import arviz as az  # noqa: PLC0415 (it takes seconds)

    rows = []
    for name, values in log_likelihoods.items():
        tree = xr.DataTree.from_dict(
            {"posterior": posterior, "log_likelihood": values.to_dataset()}
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large k: they are what the table shows
            found = az.loo(tree, pointwise=True)
        k = found.pareto_k.to_numpy()
        rows.append(
            (name, found.elpd, found.se, k.max(), float((k > MAX_PARETO_K).mean()))
        )
    columns = ["log likelihood", "elpd", "se", "largest k", f"k above {MAX_PARETO_K}"]
    return pd.DataFrame(rows, columns=columns)


def coverage(pit: xr.DataArray) -> pd.DataFrame:
    """Count how often central intervals hold the true value.

    Parameters
    ----------
    pit : xarray.DataArray
        See `poolscreen.calibration.pit`.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, one per interval with the coverage in percent and its Monte Carlo error
        (one standard error), and `p`, of a test that the ranks are uniform.
    """
    table = pd.DataFrame({"quantity": pit["quantity"].to_numpy()})
    for prob in (0.5, 0.8, 0.94):
        inside = np.abs(pit.transpose("data_set", ...).to_numpy() - 0.5) <= prob / 2
        held = inside.mean(axis=0)
        error = np.sqrt(held * (1 - held) / pit.sizes["data_set"])
        table[f"{prob:.0%} interval"] = [
            f"{100 * h:.1f} ± {100 * e:.1f}" for h, e in zip(held, error, strict=True)
        ]
    return table.merge(uniformity(pit), on="quantity")


def uniformity(pit: xr.DataArray) -> pd.DataFrame:
    """Test, for each quantity, whether its ranks could be uniform (ArviZ, `pot_c`).

    Parameters
    ----------
    pit : xarray.DataArray
        See `poolscreen.calibration.pit`.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity` and `p`; the test's p-values do not exceed about one half.
    """
    from arviz_stats.base import array_stats  # noqa: PLC0415 (it takes seconds)

    values, _, _ = array_stats.uniformity_test(
        pit.transpose(..., "data_set").to_numpy()
    )
    return pd.DataFrame({"quantity": pit["quantity"].to_numpy(), "p": values})


def rank_differences(pit: xr.DataArray) -> pd.DataFrame:
    """Compare the distribution of ranks with the uniform one, with simultaneous bands (ArviZ).

    The same as `arviz.plot_ecdf_pit` with the method "envelope", which ArviZ 1.3 cannot draw, and
    on values between 0 and 1 that need no rescaling (Säilynoja, Bürkner and Vehtari 2022).

    Parameters
    ----------
    pit : xarray.DataArray
        See `poolscreen.calibration.pit`.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `rank`, `difference` (of the distribution functions), `low` and `high`:
        the whole curve lies between these with probability `ENVELOPE_PROB` if ranks are uniform;
        `band`: "within" if it does, else "outside".
    """
    from arviz_stats.ecdf_utils import ecdf_pit  # noqa: PLC0415 (it takes seconds)

    curves = []
    for quantity in pit["quantity"].to_numpy():
        values = pit.sel(quantity=quantity).to_numpy()
        at, ecdf, low, high = ecdf_pit(values, ENVELOPE_PROB, n_simulations=1000)
        outside = ((ecdf < low) | (ecdf > high)).any()
        curve = {
            "rank": at,
            "difference": ecdf - at,
            "low": low - at,
            "high": high - at,
        }
        curves.append(
            pd.DataFrame(curve).assign(
                quantity=quantity, band="outside" if outside else "within"
            )
        )
    return pd.concat(curves, ignore_index=True)


def power_scaling(posterior: xr.Dataset, log_density: xr.Dataset) -> pd.DataFrame:
    """Measure how far prior and likelihood move a posterior, by power-scaling (ArviZ `psense`).

    Parameters
    ----------
    posterior : xarray.Dataset
        Draws of what is asked about.
    log_density : xarray.Dataset
        See `poolscreen.marginal.log_density`, of the same draws.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `prior`, `likelihood`: distance by which the posterior moves when
        either is raised to a power near one, per doubling of the power.
    """
    import arviz as az  # noqa: PLC0415 (it takes seconds)

    tree = xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "log_prior": log_density.drop_vars("log_fc"),
            "log_likelihood": log_density[["log_fc"]],
        }
    )
    logger = logging.getLogger("arviz_stats")
    level = logger.level
    logger.setLevel(logging.ERROR)  # what it would warn of is what the table shows
    try:
        found: pd.DataFrame = az.psense_summary(tree)
    finally:
        logger.setLevel(level)
    return found[["prior", "likelihood"]].rename_axis("quantity").reset_index()


def reweighted(
    quantities: Mapping[str, xr.DataArray], log_ratio: xr.DataArray | None
) -> pd.DataFrame:
    """Summarise draws as if from another distribution, by Pareto-smoothed importance sampling.

    Parameters
    ----------
    quantities : mapping of str to xarray.DataArray
        Draws of each quantity.
    log_ratio : xarray.DataArray or None
        Log density of the other distribution less that of the one which was sampled, per draw, up
        to a constant; None for that one itself.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `mean`, `3%`, `97%` (quantiles) and `k`: above 0.7 the draws do not
        reach far enough to say.
    """
    from arviz_stats.base import array_stats  # noqa: PLC0415 (it takes seconds)

    if log_ratio is None:
        weights, k = np.ones(next(iter(quantities.values())).size), np.nan
    else:
        log_weights, k = array_stats.psislw(-np.ravel(log_ratio))
        weights = np.exp(log_weights - log_weights.max())
    rows = []
    for name, draws in quantities.items():
        values = np.ravel(draws)
        low, high = np.quantile(
            values, [0.03, 0.97], weights=weights, method="inverted_cdf"
        )
        mean = np.average(values, weights=weights)
        rows.append((name, mean, low, high, float(k)))
    return pd.DataFrame(rows, columns=["quantity", "mean", "3%", "97%", "k"])


def interval(draws: FloatArray | xr.DataArray) -> tuple[float, float]:
    """Return the 94 % highest-density interval of draws.

    Parameters
    ----------
    draws : array
        Draws of one quantity; its shape does not matter.
    """
    import arviz as az  # noqa: PLC0415 (it takes seconds)

    low, high = az.hdi(np.asarray(draws, dtype=np.float64).ravel(), prob=HDI_PROB)
    return float(low), float(high)


def estimated_effect(intercepts: pd.DataFrame, by: str) -> pd.DataFrame:
    """Average posterior means over everything but one label, as the original notebook did.

    Parameters
    ----------
    intercepts : pandas.DataFrame
        A posterior table with the column `by` and `mean`.
    by : {"gene", "cell_line"}
        What the effect belongs to.

    Returns
    -------
    pandas.DataFrame
        Columns `by` and `value`.
    """
    means = intercepts.groupby(by, sort=False, observed=True)["mean"].mean()
    return means.rename("value").reset_index()


def beside_truth(truth: pd.DataFrame, estimate: pd.DataFrame, by: str) -> pd.DataFrame:
    """Stack true and estimated effects for a figure.

    Returns
    -------
    pandas.DataFrame
        Columns `by`, `value`, `effect` ("true" or "estimated").
    """
    return pd.concat(
        [truth.assign(effect="true"), estimate.assign(effect="estimated")]
    )[[by, "value", "effect"]]


def from_their_gene(sgrnas: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    """Measure true effects of sgRNAs from the true effect of their gene.

    Parameters
    ----------
    sgrnas : pandas.DataFrame
        Columns `sgRNA`, `gene`, `value`.
    genes : pandas.DataFrame
        Columns `gene`, `value`.

    Returns
    -------
    pandas.DataFrame
        `sgrnas` with the difference as `value`.
    """
    effects = sgrnas["gene"].map(genes.set_index("gene")["value"])
    return sgrnas.assign(value=sgrnas["value"] - effects)


def stack(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Stack tables of several models, with a column `model` in the order given."""
    stacked = pd.concat([table.assign(model=name) for name, table in tables.items()])
    return stacked.assign(
        model=pd.Categorical(stacked["model"], categories=list(tables))
    )


def shrinkage_of_genes(
    screen: Screen, unit_variance: xr.DataArray, top_sd: xr.DataArray
) -> pd.DataFrame:
    r"""Return by how much a gene's intercepts are shrunk towards the overall mean.

    With `n` sgRNAs, each seen once in a cell line, the intercept's posterior mean lies the
    fraction :math:`(v/n) / (v/n + \tau^2)` of the way from the gene's own mean to the overall
    mean, where `v` is the variance of one sgRNA's observation about its gene and :math:`\tau`
    the standard deviation of the intercepts (Gelman and Hill 2007, equation 12.1).

    Parameters
    ----------
    screen : Screen
        For the number of sgRNAs of each gene.
    unit_variance : xarray.DataArray
        Draws of `v`.
    top_sd : xarray.DataArray
        Draws of :math:`\tau`.

    Returns
    -------
    pandas.DataFrame
        Columns `gene`, `sgRNAs`, `shrinkage` (posterior mean), `hdi_3%`, `hdi_97%`.
    """
    rows = []
    for gene, n in screen.sgrnas_per_gene.items():
        factor = (unit_variance / n) / (unit_variance / n + top_sd**2)
        low, high = interval(factor)
        rows.append((gene, n, float(factor.mean()), low, high))
    return pd.DataFrame(
        rows, columns=["gene", "sgRNAs", "shrinkage", "hdi_3%", "hdi_97%"]
    )


def towards_genes(
    screen: Screen, pulled: pd.DataFrame, genes: pd.DataFrame
) -> pd.DataFrame:
    """Measure intercepts of sgRNAs from the effect of their gene in the same cell line.

    Parameters
    ----------
    screen : Screen
        For the order of the genes.
    pulled : pandas.DataFrame
        See `pull`.
    genes : pandas.DataFrame
        Posterior table of the gene effects, columns `gene`, `cell_line`, `mean`.

    Returns
    -------
    pandas.DataFrame
        `pulled` with `unpooled_deviation` and `pooled_deviation`.
    """
    effects = genes[["gene", "cell_line", "mean"]].rename(columns={"mean": "effect"})
    both = pulled.merge(effects, on=["gene", "cell_line"], validate="m:1")
    return both.assign(
        unpooled_deviation=both["unpooled"] - both["effect"],
        pooled_deviation=both["pooled"] - both["effect"],
        gene=pd.Categorical(both["gene"], categories=screen.genes),
    )


def measured_shrinkage(deviations: pd.DataFrame) -> "pd.Series[float]":
    """Return by how much each gene's sgRNAs are shrunk towards it, measured from the estimates.

    It is one minus the slope, through the origin, of pooled on unpooled deviations.

    Parameters
    ----------
    deviations : pandas.DataFrame
        See `towards_genes`.
    """
    x, y = deviations["unpooled_deviation"], deviations["pooled_deviation"]
    sums = (
        pd.DataFrame({"xy": x * y, "xx": x * x})
        .groupby(deviations["gene"], observed=True)
        .sum()
    )
    return 1 - sums["xy"] / sums["xx"]


def rms_error(screen: Screen, estimates: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare estimates with the true mean of each observation of a simulated screen.

    Parameters
    ----------
    screen : Screen
        Its table has a column `mu_sc`.
    estimates : mapping of str to pandas.DataFrame
        Posterior tables of intercepts by gene or sgRNA, and cell line.

    Returns
    -------
    pandas.DataFrame
        Columns `model`, `RMS error`.
    """
    rows = []
    for name, table in estimates.items():
        labels = ["sgRNA" if "sgRNA" in table else "gene", "cell_line"]
        known = screen.table.astype({label: str for label in labels})
        both = known.merge(table[[*labels, "mean"]], on=labels, validate="m:1")
        rows.append(
            (name, float(np.sqrt(((both["mean"] - both["mu_sc"]) ** 2).mean())))
        )
    return pd.DataFrame(rows, columns=["model", "RMS error"])


def sgrna_variance(screen: Screen) -> pd.DataFrame:
    r"""Divide the scatter about genes into sgRNAs and noise by analysis of variance.

    Each gene's mean in each cell line is taken out. What is left of an sgRNA, averaged over the `C`
    cell lines, has variance :math:`\sigma_\alpha^2 + \sigma^2 / C` (up to the degrees of freedom)
    if an sgRNA's deviation is the same in all cell lines. The interval of the share comes from
    the F distribution of the ratio of the mean squares (Searle, Casella and McCulloch, Variance
    Components, 1992, section 3.6).

    Parameters
    ----------
    screen : Screen
        Balanced: each sgRNA once in each cell line.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `estimate`, `low`, `high` (94 % confidence interval).
    """
    from scipy import stats  # noqa: PLC0415 (only this needs it)

    n_cells = len(screen.cell_lines)
    cells = pd.Series(screen.sgrna_idx * n_cells + screen.cell_idx)
    if n_cells < 2 or not cells.is_unique or len(cells) != len(screen.sgrnas) * n_cells:
        raise PoolscreenError(
            "the analysis of variance takes each sgRNA once in each of two or more cell lines"
        )
    y = np.empty((len(screen.sgrnas), n_cells))
    y[screen.sgrna_idx, screen.cell_idx] = screen.log_fc
    membership = np.eye(len(screen.genes))[screen.gene_of_sgrna]
    residual = y - membership @ (membership.T @ y / membership.sum(0)[:, None])
    mean = residual.mean(1, keepdims=True)
    df_sgrnas = len(screen.sgrnas) - len(screen.genes)
    df_noise = df_sgrnas * (n_cells - 1)
    ms_sgrnas = n_cells * float((mean**2).sum()) / df_sgrnas
    ss_noise = float(((residual - mean) ** 2).sum())
    noise = ss_noise / df_noise

    tails = [(1 + HDI_PROB) / 2, (1 - HDI_PROB) / 2]
    noise_ends = np.sqrt(ss_noise / stats.chi2.ppf(tails, df_noise))
    f_ends = ms_sgrnas / noise / stats.f.ppf(tails, df_sgrnas, df_noise)
    ratio_ends = (f_ends - 1) / n_cells
    ratio = (ms_sgrnas / noise - 1) / n_cells
    rows = [
        ("sd of the noise", np.sqrt(noise), *noise_ends),
        ("share of the sgRNAs", ratio / (1 + ratio), *(ratio_ends / (1 + ratio_ends))),
    ]
    return pd.DataFrame(rows, columns=["quantity", "estimate", "low", "high"])


def pull(screen: Screen, unpooled: pd.DataFrame, pooled: pd.DataFrame) -> pd.DataFrame:
    """Put the intercepts of two models beside each other.

    Parameters
    ----------
    screen : Screen
        For the gene of each sgRNA and the number of sgRNAs of each gene.
    unpooled, pooled : pandas.DataFrame
        Posterior tables of the same effect of two models.

    Returns
    -------
    pandas.DataFrame
        The labels, `gene`, `sgRNAs` (of that gene), `unpooled` and `pooled` (posterior means).
    """
    labels = [c for c in ("gene", "sgRNA", "cell_line") if c in unpooled]
    both = unpooled[[*labels, "mean"]].merge(
        pooled[[*labels, "mean"]],
        on=labels,
        suffixes=("_unpooled", "_pooled"),
        validate="1:1",
    )
    both = both.rename(columns={"mean_unpooled": "unpooled", "mean_pooled": "pooled"})
    if "gene" not in both:
        genes = dict(
            zip(
                screen.sgrnas, np.array(screen.genes)[screen.gene_of_sgrna], strict=True
            )
        )
        both.insert(0, "gene", both["sgRNA"].map(genes))
    return both.assign(sgRNAs=both["gene"].map(screen.sgrnas_per_gene))
