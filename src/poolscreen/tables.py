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
from poolscreen.screen import FloatArray, IntArray, Screen

ENVELOPE_PROB = 0.99  # that a curve of uniform ranks stays within its band
MAX_PARETO_K = 0.7  # beyond it, reweighted draws are not to be trusted (Vehtari et al. 2024)


def settings(fit: xr.DataTree) -> pd.DataFrame:
    """List how a fit was sampled.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit, see `poolscreen.fits.load_fit`.

    Returns
    -------
    pandas.DataFrame
        Columns `setting` and `value`.

    Examples
    --------
    >>> chosen = {"draws": 2000, "tune": 1000, "chains": 4, "target_accept": 0.95, "seed": 103}
    >>> fit = xr.DataTree()
    >>> fit.attrs = {"settings": json.dumps(chosen), "sampler": "nutpie", "form": "joint"}
    >>> settings(fit).set_index("setting")["value"]["draws per chain"]
    '2,000 after 1,000 of tuning'
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

    Examples
    --------
    >>> fit = xr.DataTree()
    >>> fit.attrs = {"max_r_hat": 1.002, "min_ess_bulk": 3210.4, "min_ess_tail": 2500.0}
    >>> fit.attrs |= {"divergences": 0.0, "min_bfmi": 0.9, "seconds_sampling": 4.2}
    >>> diagnostics({"model 7a": fit})[["fit", "min bulk ESS", "divergences", "min BFMI"]]
            fit  min bulk ESS  divergences  min BFMI
    0  model 7a          3210            0       0.9
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
    """Return what the tables call a model, for example `7a, no pooling` for `m7a_unpooled`.

    Parameters
    ----------
    name : str
        Name of the model's module.

    Returns
    -------
    str

    Examples
    --------
    >>> model_label("m7a_unpooled"), model_label("_m7b_noncentred")
    ('7a, no pooling', '7b, not centred')
    """
    label = name.removeprefix("_").removeprefix("m")
    for ending, words in {
        "_unpooled": ", no pooling",
        "_noncentred": ", not centred",
        "_two_means": ", two means",
    }.items():
        label = label.replace(ending, words)
    return label


def samplers(comparison: Mapping[str, xr.DataTree], titles: Mapping[str, str]) -> pd.DataFrame:
    """Put samplers side by side.

    Parameters
    ----------
    comparison : mapping of str to xarray.DataTree
        Groups of `poolscreen.comparison.load_samplers`, by model.
    titles : mapping of str to str
        What the table calls each sampler.

    Returns
    -------
    pandas.DataFrame
        One row per model and sampler; R-hat and effective sample sizes are the worst over **all**
        parameters, and the last column is the least bulk ESS per second of sampling.

    Examples
    --------
    >>> attempt = xr.DataTree()
    >>> attempt.attrs = {"max_r_hat": 1.002, "min_ess_bulk": 3000.0, "min_ess_tail": 2500.0}
    >>> attempt.attrs |= {"divergences": 0.0, "seconds_compiling": 6.0, "seconds_sampling": 1.5}
    >>> comparison = {"m7b_unpooled": xr.DataTree.from_dict({"nutpie": attempt})}
    >>> table = samplers(comparison, {"pymc": "PyMC's NUTS", "nutpie": "nutpie's NUTS"})
    >>> table[["model", "sampler", "ESS per second"]]
                model        sampler  ESS per second
    0  7b, no pooling  nutpie's NUTS          2000.0
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
        for model, group in comparison.items()
        for sampler, title in titles.items()
        if (attempt := group.children.get(sampler)) is not None
    ]
    return pd.DataFrame(rows)


def ess_per_second(attempt: xr.DataTree) -> float:
    """Return the least bulk effective sample size over all parameters, per second of sampling.

    Parameters
    ----------
    attempt : xarray.DataTree
        With the attributes `min_ess_bulk` and `seconds_sampling`.

    Returns
    -------
    float

    Examples
    --------
    >>> attempt = xr.DataTree()
    >>> attempt.attrs = {"min_ess_bulk": 3000.0, "seconds_sampling": 1.5}
    >>> ess_per_second(attempt)
    2000.0
    """
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
        See `poolscreen.marginal.log_likelihood`; dimensions `chain`, `draw`, `obs`.

    Returns
    -------
    pandas.DataFrame
        Columns `log likelihood`, `elpd` (expected log predictive density), `se`, `largest k` and
        `k above 0.7` (share of the observations whose Pareto k says that the estimate fails).

    Examples
    --------
    Ten observations, each with a log density of about -1 in every draw:

    >>> rng = np.random.default_rng(103)
    >>> posterior = xr.Dataset({"mu": (("chain", "draw"), rng.normal(size=(4, 500)))})
    >>> values = xr.DataArray(
    ...     rng.normal(-1.0, 0.01, (4, 500, 10)), dims=("chain", "draw", "obs"), name="log_fc"
    ... )
    >>> found = leave_one_out(posterior, {"marginal": values})
    >>> found[["log likelihood", "elpd", "k above 0.7"]].round(1)
      log likelihood  elpd  k above 0.7
    0       marginal -10.0          0.0
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
        rows.append((name, found.elpd, found.se, k.max(), float((k > MAX_PARETO_K).mean())))
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

    Examples
    --------
    >>> ranks = (np.arange(200) + 0.5) / 200  # as even as can be
    >>> pit = xr.DataArray(
    ...     ranks[:, None], dims=("data_set", "quantity"), coords={"quantity": ["sigma"]}
    ... )
    >>> coverage(pit)[["quantity", "50% interval", "94% interval"]]
      quantity 50% interval 94% interval
    0    sigma   50.0 ± 3.5   94.0 ± 1.7
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

    Examples
    --------
    Ranks that are uniform, and ranks of posteriors whose draws are too low:

    >>> even = (np.arange(200) + 0.5) / 200
    >>> pit = xr.DataArray(
    ...     np.stack([even, even**0.5], axis=1),
    ...     dims=("data_set", "quantity"),
    ...     coords={"quantity": ["right", "wrong"]},
    ... )
    >>> uniformity(pit).set_index("quantity")["p"].gt(0.01).to_dict()
    {'right': True, 'wrong': False}
    """
    from arviz_stats.base import array_stats  # noqa: PLC0415 (it takes seconds)

    values, _, _ = array_stats.uniformity_test(pit.transpose(..., "data_set").to_numpy())
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

    Examples
    --------
    >>> even = (np.arange(200) + 0.5) / 200
    >>> pit = xr.DataArray(
    ...     np.stack([even, even**0.5], axis=1),
    ...     dims=("data_set", "quantity"),
    ...     coords={"quantity": ["right", "wrong"]},
    ... )
    >>> curves = rank_differences(pit)
    >>> curves.groupby("quantity")["band"].first().to_dict()
    {'right': 'within', 'wrong': 'outside'}
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
            pd.DataFrame(curve).assign(quantity=quantity, band="outside" if outside else "within")
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

    Examples
    --------
    The likelihood moves this mean, and the prior does not:

    >>> mu = np.random.default_rng(103).normal(1.0, 0.1, (4, 500))
    >>> dims = ("chain", "draw")
    >>> density = xr.Dataset({"mu": (dims, -((mu / 5) ** 2) / 2)})
    >>> density["log_fc"] = (dims, -((mu - 1) ** 2) / 0.02)
    >>> found = power_scaling(xr.Dataset({"mu": (dims, mu)}), density)
    >>> found.round(1)
      quantity  prior  likelihood
    0       mu    0.0         0.1
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
        Draws of each quantity, of any shape; all of one.
    log_ratio : xarray.DataArray or None
        Log density of the other distribution less that of the one which was sampled, per draw, up
        to a constant; None for that one itself.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `mean`, `3%`, `97%` (quantiles) and `k`: above 0.7 the draws do not
        reach far enough to say.

    Examples
    --------
    Draws of Normal(0, 1), weighted as if from Normal(0.5, 1):

    >>> normal = np.random.default_rng(103).normal(size=(4, 1000))
    >>> x = xr.DataArray(normal, dims=("chain", "draw"))
    >>> reweighted({"x": x}, None)["mean"].round(1).tolist()
    [0.0]
    >>> found = reweighted({"x": x}, 0.5 * x)
    >>> found["mean"].round(1).tolist(), (found["k"] < MAX_PARETO_K).tolist()
    ([0.5], [True])
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
        low, high = np.quantile(values, [0.03, 0.97], weights=weights, method="inverted_cdf")
        mean = np.average(values, weights=weights)
        rows.append((name, mean, low, high, float(k)))
    return pd.DataFrame(rows, columns=["quantity", "mean", "3%", "97%", "k"])


def interval(draws: FloatArray | xr.DataArray) -> tuple[float, float]:
    """Return the 94 % highest-density interval of draws.

    Parameters
    ----------
    draws : array
        Draws of one quantity; its shape does not matter.

    Returns
    -------
    low, high : float
        In the unit of the draws.

    Examples
    --------
    It begins where the density is highest, here at 0:

    >>> low, high = interval(np.random.default_rng(103).exponential(size=(4, 5000)))
    >>> round(low, 1), round(high, 1)
    (0.0, 2.8)
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

    Examples
    --------
    >>> intercepts = pd.DataFrame(
    ...     {"gene": ["b", "b", "a"], "cell_line": ["A", "B", "A"], "mean": [-1.0, -2.0, 0.5]}
    ... )
    >>> estimated_effect(intercepts, "gene")
      gene  value
    0    b   -1.5
    1    a    0.5
    """
    means = intercepts.groupby(by, sort=False, observed=True)["mean"].mean()
    return means.rename("value").reset_index()


def beside_truth(truth: pd.DataFrame, estimate: pd.DataFrame, by: str) -> pd.DataFrame:
    """Stack true and estimated effects for a figure.

    Parameters
    ----------
    truth, estimate : pandas.DataFrame
        Columns `by` and `value` (log fold change).
    by : str
        What the effect belongs to.

    Returns
    -------
    pandas.DataFrame
        Columns `by`, `value`, `effect` ("true" or "estimated").

    Examples
    --------
    >>> truth = pd.DataFrame({"gene": ["a"], "value": [-1.0]})
    >>> estimate = pd.DataFrame({"gene": ["a"], "value": [-1.1]})
    >>> beside_truth(truth, estimate, "gene")
      gene  value     effect
    0    a   -1.0       true
    0    a   -1.1  estimated
    """
    return pd.concat([truth.assign(effect="true"), estimate.assign(effect="estimated")])[
        [by, "value", "effect"]
    ]


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

    Examples
    --------
    >>> sgrnas = pd.DataFrame({"sgRNA": ["s1", "s2"], "gene": "a", "value": [-1.5, -0.75]})
    >>> genes = pd.DataFrame({"gene": ["a"], "value": [-1.0]})
    >>> from_their_gene(sgrnas, genes)
      sgRNA gene  value
    0    s1    a  -0.50
    1    s2    a   0.25
    """
    effects = sgrnas["gene"].map(genes.set_index("gene")["value"])
    return sgrnas.assign(value=sgrnas["value"] - effects)


def stack(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Stack tables of several models, with a column `model` in the order given.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Tables of the same columns, by the names of their models.

    Returns
    -------
    pandas.DataFrame
        Their columns and `model`, a categorical.

    Examples
    --------
    >>> one, other = pd.DataFrame({"mean": [-1.0]}), pd.DataFrame({"mean": [-0.5]})
    >>> stack({"pooled": one, "no pooling": other})
       mean       model
    0  -1.0      pooled
    0  -0.5  no pooling
    """
    stacked = pd.concat([table.assign(model=name) for name, table in tables.items()])
    return stacked.assign(model=pd.Categorical(stacked["model"], categories=list(tables)))


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

    Examples
    --------
    A gene with one sgRNA goes half way to the overall mean where both variances are 1, a gene with
    three a quarter of it:

    >>> from poolscreen.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 3)))[0])
    >>> one = xr.DataArray(np.ones((2, 50)), dims=("chain", "draw"))
    >>> shrinkage_of_genes(screen, unit_variance=one, top_sd=one)[["gene", "sgRNAs", "shrinkage"]]
         gene  sgRNAs  shrinkage
    0  gene_0       1       0.50
    1  gene_1       3       0.25
    """
    rows = []
    for gene, n in screen.sgrnas_per_gene.items():
        factor = (unit_variance / n) / (unit_variance / n + top_sd**2)
        low, high = interval(factor)
        rows.append((gene, n, float(factor.mean()), low, high))
    return pd.DataFrame(rows, columns=["gene", "sgRNAs", "shrinkage", "hdi_3%", "hdi_97%"])


def towards_genes(screen: Screen, pulled: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
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

    Examples
    --------
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [-2.0]})
    >>> pulled = table.drop(columns="log_fc").assign(unpooled=-2.0, pooled=-1.25)
    >>> genes = pd.DataFrame({"gene": ["g"], "cell_line": ["A"], "mean": [-1.0]})
    >>> found = towards_genes(Screen(table), pulled, genes)
    >>> found[["unpooled_deviation", "pooled_deviation"]]
       unpooled_deviation  pooled_deviation
    0                -1.0             -0.25
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

    Returns
    -------
    pandas.Series
        By gene: 0 where nothing is pooled, 1 where all sgRNAs are at their gene.

    Examples
    --------
    >>> deviations = pd.DataFrame(
    ...     {"gene": "g", "unpooled_deviation": [-1.0, 2.0], "pooled_deviation": [-0.25, 0.5]}
    ... )
    >>> measured_shrinkage(deviations).to_dict()
    {'g': 0.75}
    """
    x, y = deviations["unpooled_deviation"], deviations["pooled_deviation"]
    sums = pd.DataFrame({"xy": x * y, "xx": x * x}).groupby(deviations["gene"], observed=True).sum()
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
        Columns `model`, `RMS error` (log fold change).

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"cell_line": ["A", "B"], "sgRNA": "s", "gene": "g", "log_fc": [-2.0, 1.0]}
    ... ).assign(mu_sc=[-1.5, 1.0])
    >>> estimate = pd.DataFrame({"gene": "g", "cell_line": ["A", "B"], "mean": [-1.5, 2.0]})
    >>> rms_error(Screen(table), {"7a": estimate}).round(2)
      model  RMS error
    0    7a       0.71
    """
    rows = []
    for name, table in estimates.items():
        labels = ["sgRNA" if "sgRNA" in table else "gene", "cell_line"]
        known = screen.table.astype({label: str for label in labels})
        both = known.merge(table[[*labels, "mean"]], on=labels, validate="m:1")
        rows.append((name, float(np.sqrt(((both["mean"] - both["mu_sc"]) ** 2).mean()))))
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

    Raises
    ------
    PoolscreenError
        If the screen is not balanced, or has one cell line.

    Examples
    --------
    The screen of the book was simulated with a noise of 0.3 and a share of 0.31, that is
    0.2² / (0.2² + 0.3²):

    >>> from poolscreen.simulate import Design, simulate
    >>> sgrna_variance(Screen(simulate(Design())[0])).round(2)
                  quantity  estimate   low  high
    0      sd of the noise      0.30  0.29  0.31
    1  share of the sgRNAs      0.27  0.19  0.38
    >>> sgrna_variance(Screen(simulate(Design(n_cell_lines=1))[0]))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: the analysis of variance takes each sgRNA once in each ...
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

    Examples
    --------
    >>> from poolscreen.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=1, sgrnas_per_gene=(1, 2)))[0])
    >>> unpooled = screen.table[["sgRNA", "cell_line"]].astype(str).assign(mean=-2.0)
    >>> pull(screen, unpooled, unpooled.assign(mean=-1.5))
         gene    sgRNA cell_line  unpooled  pooled  sgRNAs
    0  gene_0  sgRNA_0    cell_0      -2.0    -1.5       1
    1  gene_1  sgRNA_1    cell_0      -2.0    -1.5       2
    2  gene_1  sgRNA_2    cell_0      -2.0    -1.5       2
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
        genes = dict(zip(screen.sgrnas, np.array(screen.genes)[screen.gene_of_sgrna], strict=True))
        both.insert(0, "gene", both["sgRNA"].map(genes))
    return both.assign(sgRNAs=both["gene"].map(screen.sgrnas_per_gene))


def against_truth(posterior: pd.DataFrame, truth: pd.DataFrame, label: str) -> pd.DataFrame:
    """Put the estimates of effects beside their true values, and say which intervals hold these.

    Parameters
    ----------
    posterior : pandas.DataFrame
        Posterior table of the effects: columns `label`, `mean`, `hdi_3%`, `hdi_97%`.
    truth : pandas.DataFrame
        Columns `label` and `value`.
    label : str
        What the effects belong to.

    Returns
    -------
    pandas.DataFrame
        Columns `label`, `true`, `mean`, `hdi_3%`, `hdi_97%`, `held`.

    Examples
    --------
    >>> posterior = pd.DataFrame({"gene": ["MYC"], "mean": -1.0, "hdi_3%": -1.5, "hdi_97%": -0.5})
    >>> truth = pd.DataFrame({"gene": ["MYC"], "value": [-1.8]})
    >>> against_truth(posterior, truth, "gene")
      gene  true  mean  hdi_3%  hdi_97%   held
    0  MYC  -1.8  -1.0    -1.5     -0.5  False
    """
    columns = ["mean", "hdi_3%", "hdi_97%"]
    both = truth[[label, "value"]].rename(columns={"value": "true"})
    both = both.merge(posterior[[label, *columns]], on=label, validate="1:1")
    return both.assign(held=both["true"].between(both["hdi_3%"], both["hdi_97%"]))


def scatter_of_sgrnas(log_fc: FloatArray, screen: Screen) -> FloatArray:
    """Return the standard deviation of the sgRNAs' means about the mean of their gene.

    Parameters
    ----------
    log_fc : numpy.ndarray, shape (screens, observations)
        Log fold changes of screens of one design.
    screen : Screen
        The design. Balanced: each sgRNA equally often in each cell line.

    Returns
    -------
    numpy.ndarray, shape (screens,)

    Raises
    ------
    PoolscreenError
        If no gene has two sgRNAs.

    Examples
    --------
    Two sgRNAs whose means are -1 and 1:

    >>> table = pd.DataFrame({"cell_line": list("ABAB"), "sgRNA": list("ssrr"), "gene": "g"})
    >>> screen = Screen(table.assign(log_fc=[-2.0, 0.0, 1.0, 1.0]))
    >>> scatter_of_sgrnas(screen.log_fc[None], screen).round(3).tolist()
    [1.414]
    """
    df = len(screen.sgrnas) - len(screen.genes)
    if df == 0:
        raise PoolscreenError("no gene has two sgRNAs, so their scatter cannot be seen")

    def means(values: FloatArray, group: IntArray) -> FloatArray:
        member = np.eye(group.max() + 1)[group]
        return values @ member / member.sum(0)

    of_sgrna = means(log_fc, screen.sgrna_idx)
    of_gene = means(of_sgrna, screen.gene_of_sgrna)
    about = of_sgrna - of_gene[:, screen.gene_of_sgrna]
    found: FloatArray = np.sqrt((about**2).sum(1) / df)
    return found


def compare_predictions(
    predictions: Mapping[str, xr.DataTree], left_out: str, log_fc: FloatArray
) -> pd.DataFrame:
    """Compare how well models predict what was left out (ArviZ `compare`).

    Parameters
    ----------
    predictions : mapping of str to xarray.DataTree
        See `poolscreen.prediction.predict`, by model.
    left_out : str
        What was left out at a time, one of `poolscreen.prediction.parts_left_out`.
    log_fc : numpy.ndarray, shape (observations,)
        What was observed.

    Returns
    -------
    pandas.DataFrame
        The best first: `model`, `elpd` (expected log predictive density, of all parts together),
        `se`, `difference` from the best and its `se of the difference`, `largest k`; then, of the
        single observations, the `RMS error` and `held %`, the share in their 94 % intervals.

    Examples
    --------
    >>> from poolscreen.models import m7, m7c
    >>> from poolscreen.prediction import predict
    >>> from poolscreen.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=6, sgrnas_per_gene=(2, 3)))[0])
    >>> rng = np.random.default_rng(103)
    >>> def draws(family):
    ...     return xr.Dataset(
    ...         {
    ...             name: (("chain", "draw"), rng.gamma(25, 0.02, (4, 400)))
    ...             for name in family.parameters
    ...         }
    ...     )
    >>> predictions = {
    ...     name: predict(family, screen, draws(family))
    ...     for name, family in {"7": m7.FAMILY, "7c": m7c.FAMILY}.items()
    ... }
    >>> found = compare_predictions(predictions, "cell_line", screen.log_fc)
    >>> sorted(found["model"]), found["difference"][0].item()
    (['7', '7c'], 0.0)
    """
    import arviz as az  # noqa: PLC0415 (it takes seconds)
    from scipy import stats  # noqa: PLC0415

    trees = dict(predictions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large k: they are what the table shows
        found = az.compare(trees, var_name=left_out, round_to="none")
        k = {
            name: float(az.loo(tree, pointwise=True, var_name=left_out).pareto_k.max())
            for name, tree in trees.items()
        }
    rows = []
    for name in found.index:
        of_parts = trees[name]["predicted"].to_dataset().sel(left_out=left_out)
        mean, sd = of_parts["mean"].to_numpy(), of_parts["sd"].to_numpy()
        error = (log_fc - mean)[~np.isnan(mean)]
        limit = stats.norm.ppf((1 + HDI_PROB) / 2) * sd[~np.isnan(mean)]
        rows.append(
            {
                "model": name,
                "elpd": found.loc[name, "elpd"],
                "se": found.loc[name, "se"],
                "difference": found.loc[name, "elpd_diff"],
                "se of the difference": found.loc[name, "dse"],
                "largest k": k[name],
                "RMS error": float(np.sqrt((error**2).mean())),
                "held %": 100 * float((np.abs(error) <= limit).mean()),
            }
        )
    return pd.DataFrame(rows)


def by_sgrnas(recoveries: Mapping[str, xr.Dataset], target: str) -> pd.DataFrame:
    """Tabulate how well models find the effects of genes, by the number of sgRNAs of the gene.

    Parameters
    ----------
    recoveries : mapping of str to xarray.Dataset
        See `poolscreen.prediction.recover`, by model.
    target : str
        "in each line" or "over all lines".

    Returns
    -------
    pandas.DataFrame
        Columns `measure` ("RMS error", "intervals that hold the truth, %"), `model`, `sgRNAs`,
        `value`, and `low` and `high`: two standard errors, over the screens, to either side.

    Examples
    --------
    >>> dims = ("target", "screen", "gene")
    >>> found = xr.Dataset(
    ...     {"squared_error": (dims, np.full((1, 4, 1), 0.04)), "held": (dims, np.ones((1, 4, 1)))},
    ...     coords={"target": ["in each line"], "sgRNAs": ("gene", [3])},
    ... )
    >>> by_sgrnas({"7": found}, "in each line")[["measure", "sgRNAs", "value"]]
                               measure  sgRNAs  value
    0                        RMS error       3    0.2
    1  intervals that hold the truth, %       3  100.0
    """
    tables = []
    for name, found in recoveries.items():
        of_target = found.sel(target=target)
        for measure, variable in {
            "RMS error": "squared_error",
            "intervals that hold the truth, %": "held",
        }.items():
            values = of_target[variable].transpose("screen", "gene").to_numpy()
            mean, error = values.mean(0), 2 * values.std(0) / np.sqrt(len(values))
            ends = [mean, mean - error, np.minimum(mean + error, 1)]
            if variable == "squared_error":
                ends = [np.sqrt(v) for v in (mean, mean - error, mean + error)]
            else:
                ends = [100 * v for v in ends]
            columns = dict(zip(("value", "low", "high"), ends, strict=True))
            tables.append(
                pd.DataFrame({"sgRNAs": found["sgRNAs"].to_numpy(), **columns}).assign(
                    measure=measure, model=name
                )
            )
    return pd.concat(tables, ignore_index=True)
