"""The finished book: its fits, its tables, and all that the original notebook held."""

import json
import re
import tomllib
from fnmatch import fnmatch

import nbformat
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from poolscreen.inference import gate, store
from poolscreen.inference.posterior import summarise
from press import chapters, paths, results, steps
from press.results import load_screen
from press.staging import key_figure

pytestmark = pytest.mark.book

# Tables of each model, and how many rows they have.
CROSSED = {"gamma_g": 10, "alpha_s": 55, "beta_c": 20}
ROWS = {
    "m7": {"scalars": 5, **CROSSED},
    "m7_two_means": {"scalars": 6, **CROSSED},
    "m7c_unpooled": {"scalars": 2, "gamma_g": 10, "beta_c": 20},
    "m8": {"scalars": 6, **CROSSED, "delta_gc": 200},
    "m7a": {"scalars": 3, "alpha_gc": 200},
    "m7a_unpooled": {"scalars": 1, "alpha_gc": 200},
    "m7b": {"scalars": 4, "gamma_gc": 200, "alpha_sc": 1100},
    "m7b_unpooled": {"scalars": 1, "alpha_sc": 1100},
    "m7c": {"scalars": 4, "gamma_g": 10, "beta_c": 20},
}
# What labels the rows of a table.
LABELS = {
    "scalars": ["parameter"],
    "alpha_gc": ["gene", "cell_line"],
    "gamma_gc": ["gene", "cell_line"],
    "alpha_sc": ["sgRNA", "cell_line"],
    "gamma_g": ["gene"],
    "alpha_s": ["sgRNA"],
    "delta_gc": ["gene", "cell_line"],
    "beta_c": ["cell_line"],
}
# What adds up to the mean of an observation.
MEAN = {
    "m7": ["alpha_s", "beta_c"],
    "m7_two_means": ["alpha_s", "beta_c"],
    "m7c_unpooled": ["mu", "gamma_g", "beta_c"],
    "m8": ["alpha_s", "beta_c", "delta_gc"],
    "m7a": ["alpha_gc"],
    "m7a_unpooled": ["alpha_gc"],
    "m7b": ["alpha_sc"],
    "m7b_unpooled": ["alpha_sc"],
    "m7c": ["mu", "gamma_g", "beta_c"],
}
INDEX = {"gene": "gene_idx", "sgRNA": "sgrna_idx", "cell_line": "cell_idx"}
STATISTICS = "mean sd hdi_3% hdi_97% mcse_mean mcse_sd ess_bulk ess_tail r_hat".split()


@pytest.fixture(params=steps.fit_names())
def fit(request, book):
    return results.load_fit(request.param)


@pytest.fixture
def fitted_screen(request):
    """The screen that `fit` is of."""
    screen, _ = paths.split_fit(request.node.callspec.params["fit"])
    return load_screen(screen)


def test_a_fit_is_whole(fit):
    assert set(fit.children) == set(store.GROUPS)
    settings, sizes = json.loads(fit.attrs["settings"]), fit["posterior"].sizes
    assert (settings["chains"], settings["seed"]) == (4, 103)
    assert (sizes["chain"], sizes["draw"]) == (4, settings["draws"])
    assert settings["draws"] >= 1000
    assert {"pymc", "nutpie", "arviz", "numpy"} <= set(json.loads(fit.attrs["packages"]))
    assert fit.attrs["seconds_compiling"] > 0
    assert fit.attrs["seconds_sampling"] > 0


@pytest.mark.parametrize("fit", ROWS, indirect=True)
def test_a_fit_has_passed_the_gate(fit):
    """Computed anew from the file, not read from its attributes."""
    tables = summarise(fit["posterior"].to_dataset())
    diagnostics = gate.diagnose(tables, fit["sample_stats"].to_dataset())
    gate.check_gate(fit.attrs["model"], tables, diagnostics)
    assert diagnostics["max_r_hat"] == pytest.approx(fit.attrs["max_r_hat"], abs=1e-4)


def test_dimensions_are_named_and_labelled(fit, fitted_screen):
    for values in fit["posterior"].data_vars.values():
        for dim in set(values.dims) - {"chain", "draw"}:
            assert values[dim].to_numpy().tolist() == fitted_screen.coords[dim]


def test_predictions_and_likelihood_cover_every_observation(fit, fitted_screen):
    n_obs = len(fitted_screen.log_fc)
    for group in ("prior_predictive", "posterior_predictive", "log_likelihood"):
        assert fit[group]["log_fc"].sizes["obs"] == n_obs
        assert np.isfinite(fit[group]["log_fc"]).all()


@pytest.mark.parametrize("name", steps.fit_names())
def test_a_fit_is_not_too_large_to_download(name, book):
    assert paths.fit_path(name).stat().st_size < 100e6  # as GitHub Pages allows


def of_observations(values, constant_data):
    """Draws of what each observation is about, shape (chains, draws, observations)."""
    places = [constant_data[INDEX[dim]].to_numpy() for dim in values.dims[2:]]
    return values.to_numpy()[:, :, *(places or [None])].astype(float)


@pytest.mark.parametrize("model", MEAN)
def test_pointwise_likelihood_is_that_of_the_draws(model, book):
    """By hand, for each kept draw: the effects are the draws' own, exact form or not."""
    fit = results.load_fit(model)
    kept = fit["posterior"].sel(draw=fit["log_likelihood"]["draw"])
    mean = sum(of_observations(kept[name], fit["constant_data"]) for name in MEAN[model])
    sigma = kept["sigma"].to_numpy()[..., None]
    y = fit["observed_data"]["log_fc"].to_numpy()
    expected = -0.5 * ((y - mean) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)
    # Effects are kept in single precision, and sigma may be near zero.
    close = np.isclose(fit["log_likelihood"]["log_fc"], expected, rtol=1e-3, atol=1e-3)
    assert close.mean() > 0.999


@pytest.mark.parametrize("model", ROWS)
def test_tables(model, book):
    folder = paths.tables_path(model)
    assert {path.stem for path in folder.glob("*.csv")} == set(ROWS[model])
    for name, rows in ROWS[model].items():
        table = results.load_table(model, name)
        assert list(table) == [*LABELS[name], *STATISTICS]
        assert len(table) == rows
        assert np.isfinite(table[STATISTICS]).all(axis=None)
    text = (folder / "scalars.csv").read_text()
    assert re.search(r"\d\.\d{12}", text), "full precision"


@pytest.mark.parametrize(
    ("model", "parameter", "mean", "sd", "low", "high"),
    [
        ("m7a", "mu_alpha_gc", -0.936, 0.082, -1.094, -0.787),
        ("m7a", "sigma_alpha", 1.110, 0.058, 1.000, 1.216),
        ("m7b", "mu_gamma", -0.937, 0.080, -1.091, -0.791),
        ("m7b", "sigma_gamma", 1.111, 0.057, 1.004, 1.217),
    ],
)
def test_the_originals_printed_estimates(book, model, parameter, mean, sd, low, high):
    """Within Monte Carlo error of both runs (the original had 8,000 draws, this has 4,000)."""
    row = results.load_table(model, "scalars").set_index("parameter").loc[parameter]
    assert row["mean"] == pytest.approx(mean, abs=5 * row["mcse_mean"] + 0.0005)
    assert row["sd"] == pytest.approx(sd, abs=5 * row["mcse_sd"] + 0.0005)
    # The ends of a highest-density interval are far less certain than quantiles are: over 300
    # seeds those of sigma_gamma had a standard deviation of 0.0033, that is 0.057 sd, with 8,000
    # draws. Four standard errors of the difference of these two runs:
    assert row["hdi_3%"] == pytest.approx(low, abs=4 * 3**0.5 * 0.057 * sd)
    assert row["hdi_97%"] == pytest.approx(high, abs=4 * 3**0.5 * 0.057 * sd)


def test_screen_is_the_download(book):
    screen = pd.read_csv(book / "results/screen.csv")
    assert list(screen) == ["cell_line", "sgRNA", "gene", "mu_sc", "log_fc"]
    downloads = (book / "_build/html/_downloads").rglob("screen.csv")
    assert next(downloads).read_bytes() == (book / "results/screen.csv").read_bytes()


INVENTORY = {
    "01_data_generation": ["fig-by-gene", "fig-by-cell-line", "fig-by-sgrna"],
    "02_model_7a": [
        "fig-graph-7a",
        "fig-prior-7a",
        "fig-heat-7a",
        "fig-genes-7a",
        "fig-cell-lines-7a",
        "fig-posterior-7a",
        "fig-graph-7a-unpooled",
        "fig-prior-7a-unpooled",
        "fig-posterior-7a-unpooled",
        "fig-models-by-gene",
        "fig-models-by-cell-line",
    ],
    "03_model_7b": [
        "fig-graph-7b",
        "fig-prior-7b",
        "fig-heat-7b",
        "fig-posterior-7b",
        "fig-three-models",
        "fig-graph-7b-unpooled",
        "fig-prior-7b-unpooled",
        "fig-posterior-7b-unpooled",
        "fig-intercepts-7b",
        "fig-intercepts-by-sgrna",
        "fig-shrinkage",
    ],
}


@pytest.mark.parametrize("chapter", INVENTORY)
def test_every_figure_of_the_original_is_there(chapter, book):
    executed = nbformat.read(paths.executed_path(chapter), as_version=4)
    present = chapters.join(chapter, executed)
    drawn = {}
    for cell in chapters.code_cells(present):
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        if name:
            kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
            drawn[name] = bool(kinds & {"image/png", "image/svg+xml"})
    assert [name for name in INVENTORY[chapter] if not drawn.get(name)] == []


@pytest.mark.parametrize("chapter", chapters.names())
def test_every_figure_is_captioned_described_and_referred_to(chapter, book):
    present = chapters.read(chapter)
    prose = "".join(cell.source for cell in present.cells if cell.cell_type == "markdown")
    for cell in chapters.code_cells(present):
        shown = cell.metadata.get("mystnb", {})
        if "figure" in shown:
            name = shown["figure"]["name"]
            assert shown["figure"]["caption"].endswith("."), name
            assert len(shown["image"]["alt"]) > 60, name
            assert f"{{numref}}`{name}`" in prose, name


def test_long_tables_are_there_in_full(book):
    page = (book / "_build/html/notebooks/03_model_7b.html").read_text()
    tables = re.findall(
        r'<table[^>]*class="[^"]*searchable[^"]*".*?</table>', page, flags=re.DOTALL
    )
    assert sorted(len(re.findall("<tr", table)) - 1 for table in tables) == [
        200,
        1100,
        1100,
    ]


def test_source_on_the_page_is_the_source_that_was_sampled(book):
    page = (book / "_build/html/notebooks/03_model_7b.html").read_text()
    text = re.sub(r"<[^>]+>", "", page)
    assert "gamma_sc = gamma_gc[gene_of_sgrna]  # one row per sgRNA" in text
    page = (book / "_build/html/notebooks/04_integrating_out.html").read_text()
    assert "pairs * data.difference" in re.sub(r"<[^>]+>", "", page)


def test_picture_of_the_readme_is_that_of_the_book(book):
    """It is kept in git, so it may fall behind: `press picture` brings it up to date."""
    kept = Image.open(book / "book/_static/key-figure.png").convert("L").resize((64, 64))
    drawn = Image.open(key_figure()).convert("L").resize((64, 64))
    difference = np.abs(np.asarray(kept, float) - np.asarray(drawn, float)).mean()
    assert difference < 0.2, "run `PYTHONPATH=src .venv/bin/python -m press picture`"


def test_the_licence_of_all_that_the_site_ships_is_listed(book):
    """Of scripts, styles and fonts, and of what else lies beside them."""
    listed = pd.read_csv(book / "book" / "shipped.csv")
    patterns = [pattern for row in listed["files in the site"] for pattern in row.split()]
    html = book / "_build" / "html"
    shipped = [
        path.relative_to(html).as_posix()
        for path in html.rglob("*")
        if path.is_file()
        and (
            path.relative_to(html).parts[0] in {"_static", "vendor"}
            or path.suffix in {".js", ".mjs", ".css", ".woff", ".woff2", ".ttf", ".otf", ".wasm"}
        )
    ]
    assert [name for name in shipped if not any(fnmatch(name, each) for each in patterns)] == []
    assert [each for each in patterns if not any(fnmatch(name, each) for name in shipped)] == []
    packages = {
        package["name"] for package in tomllib.loads((book / "uv.lock").read_text())["package"]
    }
    assert set(listed["brought by"]) <= {"this project", *packages}


def test_every_package_has_a_licence(book):
    packages = pd.read_csv(book / "_build" / "book" / "results" / "packages.csv")
    assert packages["licence"].notna().all()
    assert (packages["licence"] != "not installed here").all()
