"""Model 7 run forwards: simulate a screen, and keep the truth that it was simulated from."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.errors import PoolscreenError


@dataclass(frozen=True)
class Design:
    """What is simulated; the defaults are the screen of the book.

    All means and standard deviations are log fold changes.

    Attributes
    ----------
    n_cell_lines : int
        Number of cell lines.
    sgrnas_per_gene : tuple of int
        Number of sgRNAs of each gene.
    mu_gamma, sigma_gamma : float
        Mean and standard deviation of the gene effects.
    sigma_alpha : float
        Standard deviation of the sgRNAs about their gene.
    mu_beta, sigma_beta : float
        Mean and standard deviation of the cell line effects.
    sigma_delta : float
        Standard deviation of what a gene does in one cell line beyond all others: 0 in model 7.
    sigma : float
        Standard deviation of the measurement noise.
    replicates : int
        How often each sgRNA is observed in each cell line.
    tails : float
        Degrees of freedom of Student's t, which the sgRNAs of a gene then follow, with the same
        standard deviation; above 2. Infinitely many are the normal distribution.
    seed : int
        Seed of the random stream.

    Examples
    --------
    The noise is what parts an observation from its true mean, `mu_sc`:

    >>> from dataclasses import replace
    >>> exact = replace(Design(), sigma=0.01)
    >>> for design in (Design(), exact):
    ...     screen, _ = simulate(design)
    ...     print(f"{(screen['log_fc'] - screen['mu_sc']).std():.2f}")
    0.30
    0.01
    """

    n_cell_lines: int = 20
    sgrnas_per_gene: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    mu_gamma: float = -1.0
    sigma_gamma: float = 0.5
    sigma_alpha: float = 0.2
    mu_beta: float = 0.0
    sigma_beta: float = 1.0
    sigma_delta: float = 0.0
    sigma: float = 0.3
    replicates: int = 1
    tails: float = math.inf
    seed: int = 103


@dataclass(frozen=True)
class Drawn:
    """What was drawn for a screen: its effects, and its log fold changes.

    Attributes
    ----------
    gene : numpy.ndarray, shape (genes,)
        Effects of the genes.
    cell_line : numpy.ndarray, shape (cell lines,)
        Effects of the cell lines.
    sgrna : numpy.ndarray, shape (sgRNAs,)
        Effect of each sgRNA, that of its gene included.
    interaction : numpy.ndarray, shape (genes, cell lines)
        What a gene does in one cell line beyond all others.
    mean : numpy.ndarray, shape (observations,)
        Mean of each observation, without noise.
    log_fc : numpy.ndarray, shape (observations,)
        The observations: by sgRNA, cell line and replicate, in this order.
    """

    gene: FloatArray
    cell_line: FloatArray
    sgrna: FloatArray
    interaction: FloatArray
    mean: FloatArray
    log_fc: FloatArray

    @property
    def of_genes(self) -> FloatArray:
        """Effect of each gene in each cell line, shape (genes, cell lines)."""
        return self.gene[:, None] + self.cell_line + self.interaction


def draw(design: Design) -> Drawn:
    """Draw the effects of a screen and its log fold changes; see `simulate`.

    Parameters
    ----------
    design : Design
        Sizes, true parameters and seed.

    Returns
    -------
    Drawn

    Raises
    ------
    PoolscreenError
        If the tails are so heavy that there is no standard deviation.

    Examples
    --------
    >>> drawn = draw(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))
    >>> drawn.of_genes.shape, drawn.log_fc.shape
    ((2, 2), (6,))
    """
    if design.tails <= 2:
        raise PoolscreenError(
            f"Student's t with {design.tails} degrees of freedom has no standard deviation; the "
            "tails of a design take more than 2"
        )
    # The original notebook drew from NumPy's global legacy generator; RandomState is the same
    # stream, and the order of the draws below is the order in which it was used.
    rng = np.random.RandomState(design.seed)
    n_genes, gene_of_sgrna = len(design.sgrnas_per_gene), _gene_of_sgrna(design)
    gamma = rng.normal(design.mu_gamma, design.sigma_gamma, size=n_genes)
    beta = rng.normal(design.mu_beta, design.sigma_beta, size=design.n_cell_lines)
    if math.isinf(design.tails):
        alpha = rng.normal(gamma[gene_of_sgrna], design.sigma_alpha)
    else:
        scale = design.sigma_alpha * math.sqrt(1 - 2 / design.tails)
        spread = rng.standard_t(design.tails, size=len(gene_of_sgrna))
        alpha = gamma[gene_of_sgrna] + scale * spread
    mean = alpha[:, None] + beta[None, :]
    delta = np.zeros((n_genes, design.n_cell_lines))
    if design.sigma_delta:
        delta = rng.normal(0, design.sigma_delta, size=delta.shape)
        mean = mean + delta[gene_of_sgrna]
    mu_sc = np.repeat(mean, design.replicates, axis=1)
    log_fc = rng.normal(mu_sc, design.sigma)
    return Drawn(gamma, beta, alpha, delta, mu_sc.ravel(), log_fc.ravel())


def _gene_of_sgrna(design: Design) -> IntArray:
    return np.repeat(np.arange(len(design.sgrnas_per_gene)), design.sgrnas_per_gene)


def simulate(design: Design) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw a screen from model 7.

    Each sgRNA *s* of gene *g* is observed in each cell line *c*:
    ``log_fc ~ Normal(alpha_s + beta_c, sigma)``, ``alpha_s ~ Normal(gamma_g, sigma_alpha)``,
    ``gamma_g ~ Normal(mu_gamma, sigma_gamma)``, ``beta_c ~ Normal(mu_beta, sigma_beta)``. Where
    the design has heavier tails, ``alpha_s`` follows Student's t; where it has an interaction,
    ``delta_gc ~ Normal(0, sigma_delta)`` is added.

    Parameters
    ----------
    design : Design
        Sizes, true parameters and seed.

    Returns
    -------
    screen : pandas.DataFrame
        Columns `cell_line`, `sgRNA`, `gene`, `mu_sc` (the mean without noise) and `log_fc`, both
        log fold changes; one row per sgRNA, cell line and replicate, in this order.
    truth : pandas.DataFrame
        Columns `parameter`, `gene`, `sgRNA`, `cell_line` (empty where they do not apply), `value`.

    Raises
    ------
    PoolscreenError
        If the tails are so heavy that there is no standard deviation.

    Examples
    --------
    >>> screen, truth = simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))
    >>> screen[["cell_line", "sgRNA", "gene", "log_fc"]].round(2).head(3)
      cell_line    sgRNA    gene  log_fc
    0    cell_0  sgRNA_0  gene_0   -1.33
    1    cell_1  sgRNA_0  gene_0   -2.52
    2    cell_0  sgRNA_1  gene_1   -0.47
    >>> truth.query("parameter == 'gamma_g'")[["gene", "value"]].round(2)
         gene  value
    0  gene_0  -1.62
    1  gene_1  -1.13
    """
    drawn = draw(design)
    genes = [f"gene_{i}" for i in range(len(drawn.gene))]
    cell_lines = [f"cell_{i}" for i in range(len(drawn.cell_line))]
    sgrnas = [f"sgRNA_{i}" for i in range(len(drawn.sgrna))]
    gene_names = np.array(genes)[_gene_of_sgrna(design)]
    of_sgrna = np.repeat(cell_lines, design.replicates)
    screen = pd.DataFrame(
        {
            "cell_line": np.tile(of_sgrna, len(sgrnas)),
            "sgRNA": np.repeat(sgrnas, len(of_sgrna)),
            "gene": np.repeat(gene_names, len(of_sgrna)),
            "mu_sc": drawn.mean,
            "log_fc": drawn.log_fc,
        }
    )
    scales = [f"sigma_{name}" for name in ("gamma", "alpha", "beta", "delta")]
    scalars = ["mu_gamma", "mu_beta", *scales, "sigma"]
    truth = pd.concat(
        [
            pd.DataFrame({"parameter": scalars, "value": [getattr(design, s) for s in scalars]}),
            pd.DataFrame({"parameter": "gamma_g", "gene": genes, "value": drawn.gene}),
            pd.DataFrame(
                {"parameter": "beta_c", "cell_line": cell_lines, "value": drawn.cell_line}
            ),
            pd.DataFrame(
                {
                    "parameter": "delta_gc",
                    "gene": np.repeat(genes, len(cell_lines)),
                    "cell_line": np.tile(cell_lines, len(genes)),
                    "value": drawn.interaction.ravel(),
                }
            ),
            pd.DataFrame(
                {
                    "parameter": "alpha_s",
                    "gene": gene_names,
                    "sgRNA": sgrnas,
                    "value": drawn.sgrna,
                }
            ),
        ]
    )
    return screen, truth[["parameter", "gene", "sgRNA", "cell_line", "value"]]
