"""How well a model finds what was simulated."""

from dataclasses import replace

import numpy as np
import xarray as xr

from poolscreen import models
from poolscreen.arrays import FloatArray
from poolscreen.errors import PoolscreenError
from poolscreen.inference.exact import solve
from poolscreen.inference.leaving_out import predict
from poolscreen.inference.refitting import refit
from poolscreen.progress import Progress, Say, silence
from poolscreen.screens.simulate import Design, draw, simulate
from poolscreen.screens.table import Screen

DRAWS = 500  # of the scales, that predictions of parts are made with
SCREENS = 100  # that are simulated to see how well a model finds the truth
OTHER_SCREENS = 30  # of each of these designs
OTHER_DESIGNS = {
    "5_lines": Design(n_cell_lines=5),
    "60_lines": Design(n_cell_lines=60),
    "3_replicates": Design(replicates=3),
    "heavy_tails": Design(tails=3),
    "interaction_01": Design(sigma_delta=0.1),
    "interaction_02": Design(sigma_delta=0.2),
    "interaction_03": Design(sigma_delta=0.3),
    "noisy": Design(n_cell_lines=2, sigma_gamma=0.3, sigma_alpha=0.9, sigma=0.8),
}
MEASURES = ("squared_error", "held", "width")  # of the estimates of a gene


def recover(
    model: models.Model,
    screens: int = SCREENS,
    design: Design | None = None,
    say: Say = silence,
) -> xr.Dataset:
    """See how well a model finds the effect of each gene in each cell line, on many screens.

    Each screen is simulated with a seed of its own.

    Parameters
    ----------
    model : Model
        Module of the model.
    screens : int
        How many screens.
    design : Design, optional
        How they are simulated; by default as the screen of the book.
    say : callable, optional
        Takes a message every few seconds: how far the work is.

    Returns
    -------
    xarray.Dataset
        Dimensions `target`, `screen` and `gene`: `squared_error` of the posterior means, `held`,
        the share of the central 94 % intervals that hold the truth, and `width` of these
        intervals. The target "in each line" is the effect in a cell line, averaged over these;
        "over all lines" is the mean over the cell lines, less that of all genes. Also `sgRNAs`,
        the number of sgRNAs of each gene, and `fault`, why the fit of a screen is no result, or
        empty.

    Examples
    --------
    >>> from poolscreen.models import m7a_unpooled
    >>> design = Design(n_cell_lines=2, sgrnas_per_gene=(1, 2, 3))
    >>> recovered = recover(m7a_unpooled, screens=2, design=design)
    >>> dict(recovered["held"].sizes), recovered["sgRNAs"].values.tolist()
    ({'screen': 2, 'target': 2, 'gene': 3}, [1, 2, 3])
    """
    design, progress = design or Design(), Progress(say)
    screen = Screen(simulate(design)[0])
    refitted = refit(model, screen)
    measures: dict[str, list[FloatArray]] = {name: [] for name in MEASURES}
    faults = []
    for seed in range(screens):
        drawn = draw(replace(design, seed=seed))
        simulated = screen.measured(drawn.log_fc)
        posterior, fault = refitted.fit(simulated, seed)
        faults.append(fault)
        effects = effect_of_genes(posterior, screen)
        for name, of_targets in _measured(effects, drawn.of_genes).items():
            measures[name].append(of_targets)
        progress(f"{seed + 1} of {screens} simulated screens")
    dims = ("screen", "target", "gene")
    return xr.Dataset(
        {name: (dims, np.stack(of_screens)) for name, of_screens in measures.items()}
        | {
            "sgRNAs": ("gene", screen.sgrnas_per_gene.to_numpy()),
            "fault": ("screen", np.array(faults, dtype=object)),
        },
        coords={"target": ["in each line", "over all lines"]},
    )


def _measured(draws: FloatArray, true: FloatArray) -> dict[str, FloatArray]:
    """Compare draws of the effects with the truth, in each line and over all; shape (2, genes)."""

    def over_lines(effects: FloatArray) -> FloatArray:
        mean = effects.mean(-1, keepdims=True)
        return mean - mean.mean(-2, keepdims=True)

    measures: dict[str, list[FloatArray]] = {name: [] for name in MEASURES}
    for drawn, known in ((draws, true), (over_lines(draws), over_lines(true))):
        # With this rule one more draw lies below the quantile with just that probability.
        low, high = np.quantile(drawn, [0.03, 0.97], axis=0, method="weibull")
        measures["squared_error"].append(((drawn.mean(0) - known) ** 2).mean(1))
        measures["held"].append(((low <= known) & (known <= high)).mean(1))
        measures["width"].append((high - low).mean(1))
    return {name: np.stack(of_targets) for name, of_targets in measures.items()}


def effect_of_genes(posterior: xr.Dataset, screen: Screen) -> FloatArray:
    """Return draws of the effect of each gene in each cell line, whatever the model is made of.

    Parameters
    ----------
    posterior : xarray.Dataset
        Draws of a model's means and effects.
    screen : Screen
        The data.

    Returns
    -------
    numpy.ndarray, shape (draws, genes, cell lines)
        What the model knows by gene and cell line; the sum of both, where it knows each by itself;
        the mean of the gene's sgRNAs, where it knows only these.

    Examples
    --------
    >>> table, _ = simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))
    >>> dims = ("chain", "draw")
    >>> posterior = xr.Dataset({"mu": (dims, np.full((1, 3), -1.0))})
    >>> posterior["gamma_g"] = ((*dims, "gene"), np.full((1, 3, 2), 0.5))
    >>> posterior["beta_c"] = ((*dims, "cell_line"), np.full((1, 3, 2), 2.0))
    >>> effect_of_genes(posterior, Screen(table))[0].tolist()
    [[1.5, 1.5], [1.5, 1.5]]
    """
    if "beta_c" in posterior:
        effects = posterior["gamma_g"] + posterior["beta_c"] + posterior.get("mu", 0.0)
        effects = effects + posterior.get("delta_gc", 0.0)
    else:
        by_pair = [v for v in posterior.values() if v.dims[2:] == ("gene", "cell_line")]
        by_sgrna = posterior.get("alpha_sc")
        if by_pair or by_sgrna is None:
            (effects,) = by_pair
        else:
            gene = xr.DataArray(
                screen.gene_of_sgrna, dims="sgRNA", coords={"sgRNA": by_sgrna["sgRNA"]}
            )
            effects = by_sgrna.groupby(gene.rename("gene")).mean()
    values = effects.transpose("chain", "draw", "gene", "cell_line").to_numpy()
    return values.reshape(-1, *values.shape[2:])


def predict_and_recover(name: str, screen: Screen, say: Say) -> xr.DataTree:
    """Predict each part of a screen by a model, and try the model on simulated screens.

    Parameters
    ----------
    name : str
        Name of the model.
    screen : Screen
        The data.
    say : callable
        Takes messages: how far the work is.

    Returns
    -------
    xarray.DataTree
        See `poolscreen.inference.leaving_out.predict`; with a group `recovery`,
        see `recover`, and the same for each of `OTHER_DESIGNS`, for example `recovery_60_lines`.

    Raises
    ------
    PoolscreenError
        If there is no such model, or its effects do not integrate out.

    Examples
    --------
    >>> predict_and_recover("m7z", None, say=print)
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: there is no model 'm7z'; there are ...m7a, ...
    """
    model = models.get(name)
    family = model.FAMILY
    if family is None:
        raise PoolscreenError(
            f"model {name} has no FAMILY, so nothing can be left out of it exactly; refit it "
            "without what is to be predicted"
        )
    scales = solve(family, screen, say=say).draws(DRAWS, family.scales)
    predicted = predict(family, screen, scales, say)
    predicted["recovery"] = xr.DataTree(recover(model, say=say))
    for title, design in OTHER_DESIGNS.items():
        recovered = recover(model, OTHER_SCREENS, design, say)
        predicted[f"recovery_{title}"] = xr.DataTree(recovered)
    return predicted
