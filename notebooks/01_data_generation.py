# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A screen whose truth is known
#
# With real data one can see that a model fits badly, but not whether its estimates are right,
# because nobody knows the truth. This book therefore starts with data that it makes itself. This
# chapter simulates a pooled screen from a model with known parameters, looks at it from three
# sides, and keeps the truth for the chapters that follow.

# %% [markdown]
# ## What a pooled screen measures
#
# In a pooled CRISPR knock-out screen, each cell of a large population receives one short guide
# RNA, the *sgRNA*, that directs the enzyme Cas9 to cut one gene. Cells that need that gene grow more
# slowly or die. After some weeks one counts how often each sgRNA is still there, and compares this
# count with that at the beginning. The result is a **log fold change**: if 400 reads have become
# 100, it is $\log_2(100 / 400) = -2$. It is zero if knocking out the gene made no difference, and
# negative if the cells with that sgRNA fell behind.
#
# The Cancer Dependency Map has done this in hundreds of cancer cell lines
# {cite:p}`tsherniak2017,meyers2017`.
#
# Two facts about the data shape every model in this book.
#
# - An sgRNA belongs to exactly one gene: sgRNAs are **nested** in genes. A gene is targeted by
#   several sgRNAs, because some of them cut badly.
# - Every sgRNA is measured in every cell line: sgRNAs (and with them genes) are **crossed** with
#   cell lines.

# %% [markdown]
# ## The model that makes the data
#
# The log fold change of sgRNA $s$ in cell line $c$ is the sum of an effect of the sgRNA, an effect
# of the cell line, and noise:
#
# $$
# \begin{aligned}
# \text{logFC}_{sc} &\sim \text{Normal}(\mu_{sc}, \sigma) \\
# \mu_{sc} &= \alpha_s + \beta_c
# \end{aligned}
# $$ (eq-m7)
#
# The effects of the sgRNAs of a gene scatter about that gene's effect. The gene effects scatter about
# an overall mean, and the cell line effects about a mean of their own:
#
# $$
# \begin{aligned}
# \alpha_s &\sim \text{Normal}(\gamma_{g[s]}, \sigma_\alpha) \\
# \gamma_g &\sim \text{Normal}(\mu_\gamma, \sigma_\gamma) \\
# \beta_c &\sim \text{Normal}(\mu_\beta, \sigma_\beta)
# \end{aligned}
# $$ (eq-m7-effects)
#
# Here $g[s]$ is the gene of sgRNA $s$. The notebook that this book grew from, the *original notebook*,
# calls this *model 7*. It also states priors, which matter when the model is fitted, but not when it
# simulates data from given parameters:
# $\mu_\gamma, \mu_\beta \sim \text{Normal}(0, 5)$ and
# $\sigma_\gamma, \sigma_\alpha, \sigma_\beta, \sigma \sim \text{Exponential}(1)$.

# %% tags=["hide-input"]
import numpy as np

from poolscreen.display import answer, source, table
from poolscreen.figures.screens import observations
from poolscreen.figures.style import in_order
from poolscreen.screens.simulate import Design, draw
from press.glue import numbers
from press.results import load_screen, load_truth

screen = load_screen()
design = Design()
gene_truth = load_truth("gamma_g")
cell_line_truth = load_truth("beta_c")
sgrna_truth = load_truth("alpha_s")

# %% tags=["remove-cell"]
within_genes = sgrna_truth["value"] - sgrna_truth["gene"].map(gene_truth.set_index("gene")["value"])
noise = screen.table["log_fc"] - screen.table["mu_sc"]
numbers(
    {
        "n_rows": len(screen.table),
        "n_genes": len(screen.genes),
        "n_sgrnas": len(screen.sgrnas),
        "n_cell_lines": len(screen.cell_lines),
        "fewest": screen.sgrnas_per_gene.min(),
        "most": screen.sgrnas_per_gene.max(),
        "seed": design.seed,
        "mean_beta": cell_line_truth["value"].mean(),
        "sd_beta": cell_line_truth["value"].std(),
        "sd_gamma": gene_truth["value"].std(),
        "sd_alpha": within_genes.std(),
        "sd_noise": noise.std(),
        "best_gene_effect": gene_truth["value"].max(),
        "second_gene_effect": gene_truth["value"].nlargest(2).iloc[-1],
        "mu_gamma": design.mu_gamma,
    }
)

# %% [markdown]
# The parameters are chosen so that cell lines differ most, genes differ less, and the sgRNAs of one
# gene differ little:

# %% tags=["hide-input"] table={"name": "tbl-design", "caption": "The parameters of the simulation: their true values, and what they are in the effects that were drawn."}
import pandas as pd

scalars = ["mu_gamma", "sigma_gamma", "sigma_alpha", "mu_beta", "sigma_beta", "sigma"]
meanings = [
    "mean of the gene effects",
    "standard deviation of the genes",
    "standard deviation of the sgRNAs about their gene",
    "mean of the cell line effects",
    "standard deviation of the cell lines",
    "standard deviation of the noise",
]
drawn = [
    gene_truth["value"].mean(),
    gene_truth["value"].std(),
    within_genes.std(),
    cell_line_truth["value"].mean(),
    cell_line_truth["value"].std(),
    noise.std(),
]
table(
    pd.DataFrame(
        {
            "parameter": scalars,
            "meaning": meanings,
            "true value": [getattr(design, scalar) for scalar in scalars],
            "in the effects drawn": drawn,
        }
    ),
    digits=2,
)

# %% [markdown]
# The last column shows what these parameters are in the one screen that was drawn. With only
# {glue:text}`n_genes` genes and {glue:text}`n_cell_lines` cell lines it differs from the true values, and
# the two columns answer two questions. How far do the genes *of this screen* differ? The last column
# answers this, and the data say much about it. How far do genes *like these* differ? The true value
# answers this, and the data say something about it only through the genes that were drawn. An estimate
# will therefore lie near the last column, and its interval has to be wide enough for the true value.
#
# Note above all the mean of the cell line effects. It was meant to be zero and came out at
# {glue:text}`mean_beta:.2f`. We shall meet this number again.

# %% [markdown]
# ## The screen
#
# There are {glue:text}`n_genes` genes, and gene $i$ has one sgRNA more than gene $i - 1$:
# `gene_0` has {glue:text}`fewest`, `gene_9` has {glue:text}`most`. That makes
# {glue:text}`n_sgrnas` sgRNAs. Each is seen **once** in each of the {glue:text}`n_cell_lines` cell lines,
# so there are {glue:text}`n_rows:,` observations. Two features of this design matter in the chapters that
# follow: genes have unequal numbers of sgRNAs, and each sgRNA has a single observation per cell line.
# This is the function that draws the screen:

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the simulator", "code_prompt_hide": "Hide the simulator"}
source(draw)

# %% [markdown]
# The random numbers come from one stream with seed {glue:text}`seed`, in the order in which the
# original notebook drew them. The rows that it printed are the same here, to every digit.
# Here are all rows (also [as a CSV file](../results/screen.csv)). The column
# `mu_sc` is the mean without noise, which nobody sees in a real screen.

# %% tags=["hide-input"] table={"name": "tbl-screen", "caption": "The simulated screen, one row per observation. `mu_sc` is the true mean, which no model sees."}
table(screen.table, digits=6, searchable=True)

# %% [markdown]
# ### By gene
#
# {numref}`fig-by-gene` shows all observations by gene, with the gene's true effect as a bar. The
# observations of each gene spread over several units, because cell lines differ more than genes
# do. The colours show this. They rank the cell lines by their mean, and they lie in the same layers in
# every gene, because in {eq}`eq-m7` a cell line shifts all genes alike.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Jittered points of log fold change for ten genes, coloured by cell line from green for the lowest mean to purple for the highest; in every gene the colours lie in the same layers. A black bar marks each gene's true effect; gene_5 is above zero, all others are below."}, "figure": {"name": "fig-by-gene", "caption": "Log fold changes by gene. Each point is one sgRNA in one cell line, coloured by cell line; cell lines are ranked by their mean. Black bars: the true gene effects $\\gamma_g$."}}
observations(
    screen.table,
    by="gene",
    colour="cell_line",
    effects=gene_truth.assign(effect="true"),
    title="Log fold change by gene",
)

# %% [markdown]
# One gene stands out. `gene_5` has a true effect of {glue:text}`best_gene_effect:.2f`, and the next
# highest is {glue:text}`second_gene_effect:.2f`.

# %% [markdown]
# ### By cell line
#
# {numref}`fig-by-cell-line` shows the same data by cell line. The bars are the true cell line effects
# $\beta_c$. The points do not lie about the bars, but about one unit lower. This is because the gene
# effects are added to each cell line's effect, and their mean is near $\mu_\gamma$,
# {glue:text}`mu_gamma:.0f`. From such a picture one can read the *sum* of a gene's and a cell line's
# effect, and the differences between cell lines. One cannot read from it how the sum divides into the
# mean of the genes and that of the cell lines.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Jittered points of log fold change for twenty cell lines, coloured by gene. A black bar marks each cell line's true effect. The points of every cell line lie about one unit below its bar."}, "figure": {"name": "fig-by-cell-line", "caption": "Log fold changes by cell line, coloured by gene; genes are ranked by their mean. Black bars: the true cell line effects $\\beta_c$."}}
observations(
    screen.table,
    by="cell_line",
    colour="gene",
    effects=cell_line_truth.assign(effect="true"),
    title="Log fold change by cell line",
)

# %% [markdown]
# ### By sgRNA
#
# {numref}`fig-by-sgrna` is the finest view, with one column per sgRNA and dotted lines between the
# genes. The sgRNAs of one gene are alike. The standard deviation of the sgRNAs about their gene is
# {glue:text}`sd_alpha:.2f`, and that of the noise is {glue:text}`sd_noise:.2f`. Both are small against
# that of the cell lines, {glue:text}`sd_beta:.2f`.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Jittered points of log fold change for fifty-five sgRNAs in the order of their genes, separated by dotted lines and coloured by cell line. The sgRNAs of one gene look alike, and those of gene_5 lie higher than the rest."}, "figure": {"name": "fig-by-sgrna", "caption": "Log fold changes by sgRNA, one column each, in the order of their genes. Colours mark cell lines as in the figure by gene."}}
observations(
    in_order(screen.table, ["sgRNA"]),
    by="sgRNA",
    colour="cell_line",
    title="Log fold change by sgRNA",
    part_by="gene",
)

# %% [markdown]
# ## Exercises
#
# **1.** The effects in {eq}`eq-m7` and {eq}`eq-m7-effects` are independent of each other. From the
# standard deviations in {numref}`tbl-design`, work out the variance of an observation, and three
# correlations: of two genes in one cell line, of two sgRNAs of one gene in one cell line, and of
# one sgRNA in two cell lines. Check them with many small screens, of two genes and two cell lines
# each.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
of_genes, of_sgrnas = design.sigma_gamma**2, design.sigma_alpha**2
of_lines, of_noise = design.sigma_beta**2, design.sigma**2
whole = of_genes + of_sgrnas + of_lines + of_noise
by_hand = np.array([of_lines, of_genes + of_lines, of_genes + of_sgrnas]) / whole
small_screens = [
    draw(Design(n_cell_lines=2, sgrnas_per_gene=(2, 1), seed=seed)).log_fc for seed in range(2000)
]
in_small = np.corrcoef(small_screens, rowvar=False)[0, [4, 2, 1]]
assert np.abs(in_small - by_hand).max() < 0.05
answer(
    f"The variance is {of_genes:.2f} + {of_sgrnas:.2f} + {of_lines:.2f} + {of_noise:.2f} = "
    f"{whole:.2f}, and a correlation is the share of it that two observations have in common. Two "
    f"genes in one line share the effect of the line ({by_hand[0]:.2f}), two sgRNAs of one gene in "
    f"one line share the effect of the gene as well ({by_hand[1]:.2f}), and one sgRNA in two lines "
    f"shares its own effect and that of its gene ({by_hand[2]:.2f}). In {len(small_screens):,} "
    f"small screens the three are {in_small[0]:.2f}, {in_small[1]:.2f} and {in_small[2]:.2f}."
)

# %% [markdown]
# **2.** Draw the screen once more with the same seed, but with $\mu_\gamma = -3$ and
# $\mu_\beta = 2$. Say beforehand what happens to the log fold changes, and to the distance between
# points and bars in {numref}`fig-by-cell-line`. What can somebody who sees only the log fold
# changes still say about the genes?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
as_before, shifted = draw(design), draw(Design(mu_gamma=-3.0, mu_beta=2.0))
largest_change = np.abs(shifted.log_fc - as_before.log_fc).max()
below = [(each.log_fc.mean() - each.cell_line.mean()) for each in (as_before, shifted)]
centred = [each.gene - each.gene.mean() for each in (as_before, shifted)]
assert largest_change < 1e-9
assert np.allclose(*centred)
answer(
    "No log fold change moves, except by rounding in the last digits: the gene effects fall by 2, "
    "those of the cell lines rise by 2, and only their sum is observed. The bars of the cell "
    f"lines rise and the points stay, so the points lie {-below[1]:.2f} below the bars on average, "
    f"where they lay {-below[0]:.2f} below them. The differences between genes have not changed: "
    f"the highest gene is still {centred[1].max():.2f} above the mean of the ten. The data can "
    "therefore say how genes differ, but not at which level they lie."
)

# %% [markdown]
# **3.** The last column of {numref}`tbl-design` would be another one with another seed. Which of
# its four standard deviations is typically off by most, as a percentage of its true value, and
# which by least? A rule says that the standard deviation of $n$ normal values is off by about
# $1 / \sqrt{2 (n - 1)}$ of itself. Work this out for the four, and check it with a few hundred
# seeds.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
gene_of_each = np.repeat(np.arange(len(screen.genes)), design.sgrnas_per_gene)
in_screens = [
    [
        values.std(ddof=1)
        for values in (d.gene, d.sgrna - d.gene[gene_of_each], d.cell_line, d.log_fc - d.mean)
    ]
    for d in (draw(Design(seed=seed)) for seed in range(300))
]
true_sds = np.sqrt([of_genes, of_sgrnas, of_lines, of_noise])
off = 100 * np.sqrt(np.mean((in_screens / true_sds - 1) ** 2, axis=0))
how_many = [len(s) for s in (screen.genes, screen.sgrnas, screen.cell_lines, screen.table)]
rule = 100 / np.sqrt(2 * (np.array(how_many) - 1))
assert off[0] == off.max() and off[3] == off.min() and np.abs(off - rule).max() < 2
answer(
    f"That of the genes is off by most, because there are only {how_many[0]}: by the rule it is "
    f"off by {rule[0]:.0f} %, and in {len(in_screens)} screens it is off by {off[0]:.0f} %. The "
    f"cell lines follow ({rule[2]:.0f} % and {off[2]:.0f} %), then the sgRNAs ({rule[1]:.0f} % and "
    f"{off[1]:.0f} %), and last the noise of {how_many[3]:,} observations ({rule[3]:.0f} % and "
    f"{off[3]:.0f} %). In the screen of this book the standard deviation of the genes came out at "
    f"{gene_truth['value'].std():.2f} instead of {true_sds[0]:.2f}, which is "
    f"{100 * abs(gene_truth['value'].std() / true_sds[0] - 1):.0f} % off."
)

# %% [markdown]
# ## What we have learnt
#
# - In a pooled screen sgRNAs are nested in genes and crossed with cell lines.
# - In this screen, the spread comes from cell lines ({glue:text}`sd_beta:.2f`), genes
#   ({glue:text}`sd_gamma:.2f`), noise ({glue:text}`sd_noise:.2f`) and sgRNAs
#   ({glue:text}`sd_alpha:.2f`), in this order.
# - Genes have {glue:text}`fewest` to {glue:text}`most` sgRNAs, so the data say much more
#   about some of them than about others. [The next chapter](02_model_7a) asks what a model should
#   make of that.
