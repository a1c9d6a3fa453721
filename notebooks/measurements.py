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
# # Measurements
#
# This page reports how long this book takes to sample and to build, how time and memory grow with the
# screen, how long other tools take for the same work, and what is found in a screen whose answers are
# known. Anyone can repeat the measurements with `make bench`. The results are kept in the repository (`results/benchmarks/`) with the machine that
# they were measured on. Seconds will differ on another machine; the ratios of runs that took turns may
# differ less.

# %% tags=["hide-input"] table={"name": "tbl-machine", "caption": "The machine and the package versions of each measurement."}
import pandas as pd

from poolscreen.display import table
from poolscreen.figures.growth import growth
from poolscreen.inference.gate import MAX_R_HAT
from poolscreen.tables.fits import WAYS, model_label
from poolscreen.tables.growth import best_and_median, slope
from poolscreen.tables.peers import differences, scales, tool, whole_runs
from press.glue import numbers
from press.results import load_benchmark, load_calibration

measured = {
    "samplers": load_benchmark("samplers"),
    "seeds": load_benchmark("seeds"),
    "prior_screens": load_benchmark("prior_screens"),
    "builds": load_benchmark("builds"),
    "faults": load_benchmark("faults"),
    "scaling": load_benchmark("scaling"),
    "peers": load_benchmark("peers"),
    "genome": load_benchmark("genome"),
    "edge": load_benchmark("edge"),
}
table(
    pd.DataFrame({name: found["machine"] for name, found in measured.items()})
    .rename_axis("measured on")
    .reset_index()
)

# %% [markdown]
# ## Samplers
#
# The models of chapters 2, 3 and 6 were sampled in the ways that [chapter 4](04_integrating_out)
# compares. They took turns in {glue:text}`n_rounds:d` rounds, each with a seed of its own. *Best* is
# the fastest round, and for effective samples per second the round with the highest rate. R-hat is the
# worst of the rounds. The rate is the smallest bulk effective sample size of any parameter, divided by
# the seconds of sampling. For the weighted points, the seconds are the time to integrate over the
# scales and to draw all effects, as many times as the samplers do. These draws are independent. The
# last row is model 7b with standardised deviations (*not centred*), the usual remedy for a funnel.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-bench-samplers", "caption": "Samplers: best and median of the rounds."}
rounds = pd.DataFrame(measured["samplers"]["figures"])
of_rounds = pd.DataFrame(
    {
        "model": rounds["model"].map(model_label),
        "way": rounds["sampler"].map(WAYS),
        "seconds compiling": rounds["seconds_compiling"],
        "seconds sampling": rounds["seconds_sampling"],
        "ESS per second": rounds["ess_per_second"],
    }
)
summary = best_and_median(of_rounds, ["model", "way"])
worst = rounds.groupby(["model", "sampler"], sort=False)["max_r_hat"].max()
summary.insert(2, "max R\N{NON-BREAKING HYPHEN}hat", worst.to_numpy())
table(summary, digits=2)

# %% tags=["remove-cell"]
of_each = rounds.set_index(["model", "sampler"]).sort_index()
r_hat, divergences = of_each["max_r_hat"], of_each["divergences"]
failing = {("m7b", "pymc"), ("m7b", "nutpie"), ("m7b", "pymc_default")}
failing |= {("m7b_unpooled", "pymc"), ("m7b_unpooled", "nutpie")}
failing |= {("_m7b_noncentred", "pymc"), ("m7_two_means", "nutpie")}
for key, found in r_hat.dropna().groupby(level=[0, 1]):
    assert (found > 1.01).all() if key in failing else (found <= 1.01).all(), key
rate = rounds.groupby(["model", "sampler"])["ess_per_second"]
median, best = rate.median(), rate.max()

numbers(
    {
        "n_rounds": int(rounds["round"].nunique()),
        "plain_r_hat_low": r_hat["m7b", "pymc"].min(),
        "plain_r_hat_high": r_hat["m7b", "pymc"].max(),
        "plain_divergences": int(divergences["m7b", "pymc"].max()),
        "lax_least": int(divergences["m7b", "pymc_default"].min()),
        "lax_most": int(divergences["m7b", "pymc_default"].max()),
        "noncentred_r_hat_low": r_hat["_m7b_noncentred", "pymc"].min(),
        "noncentred_r_hat_high": r_hat["_m7b_noncentred", "pymc"].max(),
        "noncentred_divergences": int(divergences["_m7b_noncentred", "pymc"].min()),
        # To one digit: an effective sample size below ten is itself a guess.
        "ratio_7b": float(f"{median['m7b', 'marginal'] / median['m7b', 'pymc']:.0e}"),
        "ratio_7a_unpooled": median["m7a_unpooled", "marginal"] / median["m7a_unpooled", "nutpie"],
        "ratio_7a": median["m7a", "marginal"] / median["m7a", "nutpie"],
        "ratio_7a_best": best["m7a", "marginal"] / best["m7a", "nutpie"],
    }
)

# %% [markdown]
# PyMC and nutpie do not converge on model 7b with any seed, with or without pooling, so the digits of
# their rates there are not worth reading. PyMC's R-hat is {glue:text}`plain_r_hat_low:.2f` to
# {glue:text}`plain_r_hat_high:.2f`, with at most {glue:text}`plain_divergences` divergences. (With its
# default target acceptance, the number of divergences is {glue:text}`lax_least:,` with one seed and
# {glue:text}`lax_most:,` with another, so it is no guide.) Model 7b, not centred, has an R-hat of
# {glue:text}`noncentred_r_hat_low:.2f` to {glue:text}`noncentred_r_hat_high:.2f`, with
# {glue:text}`noncentred_divergences:,` divergences or more. That is better, but these runs have not
# converged either: the remedy is made for one end of the ring that chapter 4 shows.
#
# On model 7b, the marginal form gives of the order of {glue:text}`ratio_7b:,.0f` times as many
# effective samples per second as PyMC's NUTS. NUTS has no difficulty with model 7a. There the marginal
# form gives {glue:text}`ratio_7a:.1f` times as many as nutpie on the full model, compiled in the same
# way, by the medians, and {glue:text}`ratio_7a_best:.1f` times by the best rounds. On 7a without
# pooling it gives {glue:text}`ratio_7a_unpooled:.1f` times as many.
#
# ## Failed runs with many seeds
#
# Chapters 4 and 6 show runs that do not converge. Such a run turns out differently with each seed, so
# each was repeated with {glue:text}`n_seeds` seeds and the settings of the book. The diagnostics of a
# run are those of its worst chain or parameter, among the means and scales. {numref}`tbl-bench-seeds`
# shows the least, the median and the largest of each over the runs. The runs were made on these
# processors: {glue:text}`processors`. None of the runs passes the gate.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-bench-seeds", "caption": "Plain NUTS with many seeds: the least, the median and the largest value of each diagnostic."}
seeds = pd.DataFrame(measured["seeds"]["figures"])
diagnostics_of_seeds = {
    "max_r_hat": "max R\N{NON-BREAKING HYPHEN}hat",
    "min_ess_bulk": "min bulk ESS",
    "divergences": "divergences",
    "min_bfmi": "min BFMI",
}
quantiles = (
    seeds.groupby(["model", "sampler"])[list(diagnostics_of_seeds)]
    .quantile([0, 0.5, 1])
    .rename(columns=diagnostics_of_seeds)
    .rename(index={0.0: "least", 0.5: "median", 1.0: "largest"}, level=2)
    .rename_axis(index=["model", "sampler", "of the runs"])
    .reset_index()
)
table(
    quantiles.assign(
        model=quantiles["model"].map(model_label), sampler=quantiles["sampler"].map(WAYS)
    ),
    digits=2,
)

# %% tags=["remove-cell"]
assert (seeds["max_r_hat"] > MAX_R_HAT).all()
numbers(
    {
        "n_seeds": int(seeds["seed"].nunique()),
        "processors": " and ".join(
            f"{number} on {name}" for name, number in seeds["processor"].value_counts().items()
        ),
    }
)

# %% [markdown]
# ## Screens drawn from the prior
#
# A posterior is hard to sample where a scale is near zero, and screens drawn from the prior lead to
# such posteriors. NUTS therefore sampled the marginal form of the models in this table on {glue:text}`n_prior:d` of
# the screens of its calibration ([chapter 5](05_calibration)), and its draws were compared with the
# weighted points. Model 7 was also sampled as it is written down, on {glue:text}`n_written:d` such
# screens. {numref}`tbl-bench-prior` counts the fits that the gate refuses. *Off the points* is the
# largest difference in the mean or the standard deviation of any parameter, in Monte Carlo errors of
# the draws.

# %% tags=["hide-input"] table={"name": "tbl-bench-prior", "caption": "NUTS on screens drawn from the prior: how many fits the gate refuses, and how far the others are off the weighted points."}
prior_screens = pd.DataFrame(measured["prior_screens"]["figures"])
accepted = prior_screens.assign(off=prior_screens["off"].where(prior_screens["faults"] == ""))
by_model = accepted.groupby(["model", "form"], sort=False)
table(
    pd.DataFrame(
        {
            "screens": by_model.size(),
            "refused": by_model["faults"].agg(lambda faults: (faults != "").sum()),
            "off the points, median": by_model["off"].median(),
            "off the points, largest": by_model["off"].max(),
        }
    )
    .reset_index()
    .assign(
        model=lambda rows: rows["model"].map(model_label),
        form=lambda rows: rows["form"].map({"marginal": "marginal", "joint": "as written"}),
    ),
    digits=1,
)

# %% tags=["remove-cell"]
of_form = prior_screens.groupby("form")["screen"].nunique()
numbers({"n_prior": int(of_form["marginal"]), "n_written": int(of_form["joint"])})

# %% [markdown]
# ## Build times
#
# This section compares how soon the site is up to date, and whether the page then shows the edit. The
# other book is a plain Jupyter Book of the same chapters. It executes them during the build, with
# Jupyter Book's own cache (`execute_notebooks: cache`). Each of its notebooks samples what the chapter
# shows, with PyMC's NUTS. Both books were built cold with chapters 1 to 4, and then after each edit in
# turn. Last, [chapter 5](05_calibration) was added to both, with {glue:text}`data_sets:d` screens per
# model; the book has {glue:text}`n_data_sets:,`.

# %% tags=["hide-input"] table={"name": "tbl-bench-builds", "caption": "Build times of this book and of a plain Jupyter Book, and whether the page shows the edit."}
builds = pd.DataFrame(measured["builds"]["figures"])
yes_or_no = {True: "yes", False: "NO"}
beside = builds.pivot_table(
    index="after",
    columns="book",
    values=["seconds", "right"],
    sort=False,
    aggfunc="first",
)
shown = pd.DataFrame(
    {
        "after an edit of": beside.index,
        "page shows it, this book": beside["right", "this book"].map(yes_or_no),
        "page shows it, plain book": beside["right", "plain book"].map(yes_or_no),
        "seconds, this book": beside["seconds", "this book"],
        "seconds, plain book": beside["seconds", "plain book"],
    }
)
shown["after an edit of"] = shown["after an edit of"].replace(
    {"cold": "(cold build, chapters 1 to 4)", "chapter 5": "(chapter 5 added)"}
)
table(shown)

# %% tags=["remove-cell"]
seconds = builds.set_index(["after", "book"])["seconds"]
right = builds.set_index(["after", "book"])["right"]
assert right[:, "this book"].all()
stale = [name for name in beside.index if not right[name, "plain book"]]
cold, added = seconds["cold"], seconds["chapter 5"]
whole = cold + added
n_data_sets = load_calibration("m7a").sizes["data_set"]
data_sets = int(builds["data_sets"].max())
numbers(
    {
        "data_sets": data_sets,
        "n_data_sets": n_data_sets,
        "cold_ratio": cold["plain book"] / cold["this book"],
        "whole_ratio": whole["plain book"] / whole["this book"],
        "added_seconds": added["plain book"],
        "all_hours": added["plain book"] * n_data_sets / data_sets / 3600,
        "model_seconds": seconds["a model", "this book"],
        "stale": " and ".join(f"of {name}" for name in stale) or "of nothing",
    }
)

# %% [markdown]
# The cold build of chapters 1 to 4 is {glue:text}`cold_ratio:.1f` times as fast in this book. When this
# was measured, both books still compared all samplers for chapter 4, which takes minutes in either;
# builds of this book no longer do so. The two steps together, with chapter 5, are
# {glue:text}`whole_ratio:.1f` times as fast. For all {glue:text}`n_data_sets:,` screens per model the
# plain book would need {glue:text}`all_hours:.0f` hours at the same pace.
#
# After an edit {glue:text}`stale` the plain book's page is wrong. Its cache looks at the code cells of
# the notebook and not at what they import, so it publishes the old figures without a warning. That
# makes it quick. This book is often slower, since it recomputes what the edit has changed: after the
# edit of a model it takes {glue:text}`model_seconds:.0f` s. (The ratios of the cold builds depend on
# the sampler as much as on the build, and what the plain book shows of 7b has not converged.)
#
# ## Builds that are disturbed
#
# A small book, whose one chapter loads a result of each kind, was built once without a disturbance. In
# each of {glue:text}`n_trials:d` trials a copy of it lost some results, and a fault disturbed the build
# that made them anew. Then the copy was built again. {numref}`tbl-bench-faults` counts the trials after
# which every result and every file of the site had the same content as in the undisturbed build. Two
# builds that nothing disturbs differ in recorded times alone, so these were pinned. A trial is wrong if
# any file differed, if any was missing or left over, or if a build failed without one clear message.
# {glue:text}`not_tried`

# %% tags=["hide-input", "full-width"] table={"name": "tbl-bench-faults", "caption": "Faults that disturb a build, and how the next build ended."}
all_faults = pd.DataFrame(measured["faults"]["figures"])
faults = all_faults[all_faults["ended"] != "not tried"]
by_fault = faults.groupby(["kind", "fault"], sort=False)
ended = pd.DataFrame(
    {
        "ended with an equal site": by_fault["ended"].agg(lambda e: (e == "equal").sum()),
        "kept the last good site": by_fault["ended"].agg(lambda e: (e == "kept").sum()),
        "lost or wrong": by_fault["wrong"].agg(lambda wrong: (wrong != "").sum()),
        "median seconds": by_fault["seconds"].median().round(),
    }
)
tried = pd.crosstab([faults["kind"], faults["fault"]], faults["campaign"])
tried.columns = [f"tried in campaign {number + 1}" for number in range(len(tried.columns))]
table(tried.loc[ended.index].join(ended).reset_index())

# %% tags=["remove-cell"]
not_tried = sorted(set(all_faults["fault"]) - set(faults["fault"]))
numbers(
    {
        "n_trials": len(faults),
        "n_wrong": int((faults["wrong"] != "").sum()),
        "n_equal": int((faults["ended"] == "equal").sum()),
        "n_left": int((faults["left"] > 0).sum()),
        "campaigns": " and ".join(
            f"{tried[name].sum()} {name.removeprefix('tried ')}" for name in tried
        ),
        "not_tried": f"Not tried here: {', '.join(not_tried)}." if not_tried else "",
    }
)

# %% [markdown]
# The next build ended with an equal site after {glue:text}`n_equal:d` of the trials, and
# {glue:text}`n_wrong:d` were wrong. The disturbed build left files behind in {glue:text}`n_left:d` trials.
# A campaign tries each fault as often as the table says, at moments that are drawn anew for each
# campaign, and one trial runs on each core at a time. The trials ({glue:text}`campaigns`) were made after
# the faults of the build that earlier runs had found were mended. A result that is damaged is known by
# its content, and is made anew. A process that is killed and a full disk each end a build with one
# message, and the last good site stays until the next build succeeds.
#
# ## Time and memory by size of the screen
#
# Models 7, 7a, 7b and 8 were fitted without draws to simulated screens, from {glue:text}`smallest:,`
# rows to {glue:text}`largest:,`, each in a process of its own. A fit checks the table, integrates over the
# scales, and summarises *every* effect by its mean, standard deviation, interval, and probability of
# lying below zero. Checking and the reduction to sufficient statistics read every row once. After that,
# the time of integrating depends on the number of layouts ([chapter 4](04_integrating_out)). A balanced
# screen has one layout. In the screens with gaps, each sgRNA is measured in each cell line not at all,
# once, or twice, which makes up to 20 for a gene with five sgRNAs. Model 8 has no layouts to share where
# there are gaps. It takes each gene by itself then, so only small screens were tried. Memory is the peak
# of the process, with the packages and the table. {numref}`fig-growth` shows the last two columns.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-bench-growth", "caption": "Fits without draws, by size of the screen."}
scaling = pd.DataFrame(measured["scaling"]["figures"])
table(
    pd.DataFrame(
        {
            "model": scaling["model"].map(model_label),
            "design": scaling["design"],
            "rows": scaling["rows"],
            "effects": scaling["effects"],
            "seconds checking": scaling["checking"],
            "seconds integrating": scaling["integrating"],
            "seconds summarising": scaling["summarising"],
            "seconds in all": scaling["seconds"],
            "peak MiB": scaling["mib_peak"].round(),
        }
    ),
    digits=1,
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Seconds against rows on logarithmic axes for models 7, 7a, 7b and 8, and for 7b and 8 with gaps: a few seconds for small screens, then rising nearly in proportion to the rows; model 8 with gaps lies far above the others. Beside it peak memory, flat at first, then rising."}, "figure": {"name": "fig-growth", "caption": "Seconds and peak memory of a fit by the number of rows of the screen."}}
growth(scaling.assign(model=scaling["model"].map(model_label)))

# %% tags=["remove-cell"]
largest = scaling[scaling["rows"] >= 1_000_000]
of = {
    model if design == "balanced" else f"{model}_{design}": rows.set_index("rows", drop=False)
    for (model, design), rows in largest.groupby(["model", "design"])
}
of_8 = scaling[(scaling["model"] == "m8") & (scaling["design"] == "gaps")]
slopes = {name: slope(rows["rows"], rows["seconds"]) for name, rows in of.items()}
memory = {
    name: slope(rows["rows"], rows["mib_peak"] - rows["mib_before"]) for name, rows in of.items()
}
numbers(
    {
        "smallest": int(scaling["rows"].min()),
        "largest": int(scaling["rows"].max()),
        "balanced_rows": int(of["m7b"]["rows"].max()),
        "rows_gaps": int(of["m7b_gaps"]["rows"].max()),
        **{f"seconds_{name}": rows["seconds"].iloc[-1] for name, rows in of.items()},
        "seconds_m8_gaps": of_8["seconds"].iloc[-1],
        "rows_m8_gaps": int(of_8["rows"].iloc[-1]),
        "gib_m7b": of["m7b"]["mib_peak"].iloc[-1] / 1024,
        "least_slope": min(slopes.values()),
        "most_slope": max(slopes.values()),
        "least_memory": min(memory.values()),
        "most_memory": max(memory.values()),
    }
)

# %% [markdown]
# Model 7a takes {glue:text}`seconds_m7a:.0f` s for {glue:text}`balanced_rows:,` rows, model 7b
# {glue:text}`seconds_m7b:.0f` s and {glue:text}`gib_m7b:.1f` GiB, model 7
# {glue:text}`seconds_m7:.0f` s, and model 8 {glue:text}`seconds_m8:.0f` s. With gaps, model 8 takes
# {glue:text}`seconds_m8_gaps:.0f` s for {glue:text}`rows_m8_gaps:,` rows already. For {glue:text}`rows_gaps:,` rows with gaps, 7b takes
# {glue:text}`seconds_m7b_gaps:.0f` s. Between the last two sizes (one run each) the time grows with a
# power of the rows between {glue:text}`least_slope:.2f` and {glue:text}`most_slope:.2f`. Memory beyond
# that of the packages and the table grows with a power between {glue:text}`least_memory:.2f` and
# {glue:text}`most_memory:.2f`. A power of one means growth in proportion to the rows.
#
# ## Screens of millions of rows
#
# From a million rows on, `poolscreen validate` and `poolscreen fit` read a Parquet file in pieces. They
# add it up by sgRNA and cell line, and never hold the table in memory. {numref}`tbl-bench-edge` shows
# whole commands on two simulated screens with {glue:text}`edge_genes:,` genes and
# {glue:text}`edge_sgrnas` sgRNAs of each. A fit begins with the file and ends with a file of the effect
# of every gene in every cell line, with its standard deviation, interval, and probability of lying
# below zero.

# %% tags=["hide-input"] table={"name": "tbl-bench-edge", "caption": "Whole commands on Parquet files with millions of rows. Memory is the peak of the process."}
edge = pd.DataFrame(measured["edge"]["figures"])
assert (edge["ended"] == "").all()
table(
    edge[["command", "lines", "rows", "effects", "gb", "seconds", "processor_seconds", "peak_gb"]]
    .rename(
        columns={
            "lines": "cell lines",
            "gb": "file, GB",
            "processor_seconds": "seconds of processor",
            "peak_gb": "peak GB",
        }
    )
    .assign(effects=edge["effects"].where(edge["command"].str.startswith("fit"))),
    digits=1,
)

# %% tags=["remove-cell"]
of_edge = edge.set_index(["command", "lines"]).sort_index()
few_lines, many_lines = edge["lines"].min(), edge["lines"].max()
largest_fit = of_edge.loc[("fit m7b", many_lines)]
numbers(
    {
        "edge_genes": int(largest_fit["effects"] / many_lines),
        "edge_sgrnas": int(largest_fit["rows"] / largest_fit["effects"]),
        "edge_rows": int(largest_fit["rows"]),
        "edge_seconds": largest_fit["seconds"],
        "edge_gb": largest_fit["peak_gb"],
        "edge_times_rows": many_lines / few_lines,
        "edge_times_seconds": largest_fit["seconds"]
        / of_edge.loc[("fit m7b", few_lines), "seconds"],
        "edge_validate": of_edge.loc[("validate", many_lines), "seconds"],
    }
)

# %% [markdown]
# Checking a file of {glue:text}`edge_rows:,` rows takes {glue:text}`edge_validate:.0f` s, and model 7b
# takes {glue:text}`edge_seconds:.0f` s and {glue:text}`edge_gb:.1f` GB. With
# {glue:text}`edge_times_rows:.0f` times as many rows, the whole command takes
# {glue:text}`edge_times_seconds:.1f` times as long, the start of the program included.
#
# ## Comparison with other tools
#
# The same models can be fitted as mixed models, with lme4, glmmTMB or nlme in R, or sampled with Bambi.
# {numref}`tbl-bench-peers` compares these tools with the commands of this package. All of them read the
# same files, in turn. A run is a whole process. It starts the tool, reads the screen, fits the model,
# and writes every effect with its standard deviation, which nlme does not give. A run that has not
# ended after {glue:text}`limit:d` s is stopped. The first screen is that of the book. The others were
# drawn from the model that is fitted to them, with the scales of the book's screen. The versions are
# {glue:text}`versions`.
#
# As a mixed model, model 7 is `log_fc ~ 1 + (1 | gene) + (1 | sgRNA) + (1 | cell_line)`, and 7b is
# `log_fc ~ 1 + (1 | gene:cell_line) + (1 | sgRNA:cell_line)`. Without replicates, an sgRNA is measured
# once in a cell line. Its own effect then cannot be told from noise, and the formula of 7b lacks its
# last term. The tools in R estimate by restricted maximum likelihood. Bambi samples with its default
# settings.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-bench-peers", "caption": "Whole runs of this package and of other tools. How long it took from the start until the model was fitted is known for the tools in R. Memory is the peak of the process."}
peers = measured["peers"]["figures"]
table(whole_runs(peers["runs"]), digits=2)

# %% tags=["remove-cell"]
fits = pd.DataFrame([run | {"name": tool(run)} for run in peers["runs"] if run["tool"] != "report"])
well = fits[fits["ended"] == ""]


def listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def took(rows: pd.DataFrame) -> str:
    seconds = rows["seconds"].map("{:,.1f} s".format).where(rows["ended"] == "", rows["ended"])
    return listed(
        [f"{name} ({figure})" for name, figure in zip(rows["name"], seconds, strict=True)]
    )


book = fits[fits["book"] & (fits["model"] == "m7b")]
of_model = {
    model: rows[rows["rows"] == rows["rows"].max()] for model, rows in fits.groupby("model")
}

# Screens of one shape: one has so many times the genes of the other.
shape = well[(well["model"] == "m7b") & (well["cell_lines"] == 6)]
smaller, larger = sorted(shape["rows"].unique())[-2:]
of_rows = shape.pivot_table(index="name", columns="rows", values="processor_seconds", sort=False)
factors = (of_rows[larger] / of_rows[smaller]).dropna()

bambi = well[well["tool"] == "Bambi"]
apart = differences(peers["runs"])
# The scale of a few cell lines depends on its prior.
large = apart[(apart["rows"] > 10_000) & (apart["part"] != "cell line")]
# Where lme4 finds a scale to be zero, a posterior has a mean above it.
inside = apart[apart["part"] != "interaction"]
assert inside["sds"].max() < 1
assert large["share"].max() < 0.02

numbers(
    {
        "limit": peers["limit"],
        "versions": listed([f"{name} {version}" for name, version in peers["versions"].items()]),
        "book_rows": book["rows"].max(),
        "book_took": took(book),
        "m7b_rows": of_model["m7b"]["rows"].max(),
        "m7b_took": took(of_model["m7b"]),
        "m7_rows": of_model["m7"]["rows"].max(),
        "m7_took": took(of_model["m7"]),
        "smaller": smaller,
        "larger": larger,
        "times": larger / smaller,
        "factors": listed([f"{name} ({factor:.1f})" for name, factor in factors.items()]),
        "bambi_runs": len(bambi),
        "bambi_high": (bambi["max_r_hat"] > MAX_R_HAT).sum(),
        "gate_r_hat": MAX_R_HAT,
        "most_sds": inside["sds"].max(),
        "zero_sds": apart.loc[apart["part"] == "interaction", "sds"].max(),
        "most_percent": 100 * large["share"].max(),
    }
)

# %% [markdown]
# For model 7b and the {glue:text}`book_rows:,` rows of the book the times are: {glue:text}`book_took`.
# For model 7b and {glue:text}`m7b_rows:,` rows they are: {glue:text}`m7b_took`. For model 7 and
# {glue:text}`m7_rows:,` rows they are: {glue:text}`m7_took`.
#
# From {glue:text}`smaller:,` to {glue:text}`larger:,` rows, {glue:text}`times:.0f` times as many, the
# processor time for model 7b grows by these factors: {glue:text}`factors`. Where a factor is below
# {glue:text}`times:.0f`, a part of the time, such as the start of the tool, does not depend on the
# rows.
#
# Bambi completed {glue:text}`bambi_runs:d` runs. In {glue:text}`bambi_high:d` of these an R-hat is
# above {glue:text}`gate_r_hat:.2f`, too high to pass the gate of this book. (The gate asks for more than that.)
#
# {numref}`tbl-bench-peer-scales` shows the scales that each tool estimates. Those of this package and
# of Bambi are posterior means. Where the formula of 7b lacks its last term, the noise includes what
# sgRNAs add to it.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-bench-peer-scales", "caption": "The scales that each tool estimates: the standard deviations of the parts of a measurement."}
table(scales(peers["runs"]))

# %% [markdown]
# All tools agree. Where a posterior standard deviation is known, no estimate is further than
# {glue:text}`most_sds:.1f` of them from the posterior mean of this package. The exception is the interaction of
# model 8, of which the book's screen has none. lme4 estimates it to be zero, and the posterior mean is
# {glue:text}`zero_sds:.1f` standard deviations above zero. On screens of more than 10,000 rows they differ by at most
# {glue:text}`most_percent:.2f` %, except in the scale of the cell lines. Model 7 has four cell lines
# there, and with so few the prior has an influence.

# %% [markdown]
# ## A genome-wide screen
#
# [Chapter 11](11_genome_screen) looks for the genes with an effect in one published screen of
# {glue:text}`genome_rows:,` measurements. `poolscreen hits` went from the counts to the folder with its
# report in {glue:text}`genome_seconds:.0f` s, with a peak memory of {glue:text}`genome_memory:.2f` GB.

# %% tags=["remove-cell"]
genome = {figure["what"]: figure for figure in measured["genome"]["figures"]}
assert genome["run"]["ended"] == ""
numbers(
    {
        "genome_rows": genome["screen"]["measurements"],
        "genome_seconds": genome["run"]["seconds"],
        "genome_memory": genome["run"]["peak_gb"],
    }
)
