"""A screen in pieces: the posterior is that of the whole table."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.inference.exact import solve
from poolscreen.inference.large import solve_large
from poolscreen.reports import commands
from poolscreen.screens import matrix
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen


@pytest.fixture(scope="module", params=["balanced", "with gaps"])
def written(request, tmp_path_factory):
    """A screen as a table and as a Parquet file, whose rows are shuffled."""
    design = Design(n_cell_lines=7, sgrnas_per_gene=(1, 2, 4) * 20, replicates=2, seed=5)
    table = simulate(design)[0][["cell_line", "sgRNA", "gene", "log_fc"]]
    if request.param == "with gaps":
        table = table.sample(frac=0.7, random_state=1)
    path = tmp_path_factory.mktemp("large") / "screen.parquet"
    table.sample(frac=1, random_state=2).to_parquet(path)
    return Screen(table), path


@pytest.mark.parametrize("model", ["m7a", "m7b"])
def test_it_is_the_posterior_of_the_whole_table(written, model, monkeypatch):
    screen, path = written
    monkeypatch.setattr(matrix, "ROWS", 100)  # many pieces
    monkeypatch.setattr("poolscreen.inference.large.UNITS", 300)
    family = models.get(model).FAMILY
    large, whole = solve_large(family, matrix.read_matrix(path)), solve(family, screen)
    one, other = (of.scalars().set_index("parameter") for of in (large, whole))
    sd = other["sd"]
    assert ((one - other).div(sd, axis=0).loc[other.index].abs() < 0.05).all(axis=None)
    found = pd.concat(large.gene_effects((0.0,)))
    key = ["gene", "cell_line"]
    found = found.astype(dict.fromkeys(key, str)).set_index(key)
    expected = whole.gene_effects((0.0,)).set_index(key)
    assert len(found) == len(screen.table[key].drop_duplicates())
    expected = expected.loc[found.index]
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=0.003)
    sizes = screen.table.groupby(key, observed=True)["sgRNA"].nunique()
    sizes.index = pd.MultiIndex.from_tuples([tuple(map(str, of)) for of in sizes.index])
    assert (found["n_sgrnas"] == sizes.loc[found.index].to_numpy()).all()


def test_all_faults_are_named_with_their_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(matrix, "ROWS", 4)
    table = simulate(Design(n_cell_lines=2, sgrnas_per_gene=(2, 2)))[0].astype({"gene": object})
    table.loc[1, "gene"] = "gene_1"  # of gene_0 in the other line
    table.loc[2, "log_fc"] = np.inf
    table.loc[5, "log_fc"] = 1e29
    table.loc[6, "gene"] = None
    table.to_parquet(tmp_path / "screen.parquet")
    with pytest.raises(PoolscreenError) as error:
        matrix.read_matrix(tmp_path / "screen.parquet")
    text = str(error.value)
    assert "3 faults" in text
    assert "gene is empty, in row 7" in text
    assert "log_fc is no finite number within reason, in row 3 (inf), 6 (1e+29)" in text
    assert "an sgRNA belongs to two genes, in row " in text
    with pytest.raises(PoolscreenError, match="there is no column log_fc; there are"):
        table.drop(columns="log_fc").to_parquet(tmp_path / "other.parquet")
        matrix.read_matrix(tmp_path / "other.parquet")


def test_a_damaged_piece_is_named(tmp_path):
    path = tmp_path / "screen.parquet"
    Screen(simulate(Design())[0]).table.to_parquet(path, row_group_size=500)
    content = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(1).column(0).data_page_offset
    content[start : start + 100] = b"\xff" * 100
    path.write_bytes(content)
    with pytest.raises(PoolscreenError, match="row group 1 of the Parquet file is damaged"):
        matrix.read_matrix(path)


def test_equal_values_are_refused(tmp_path):
    table = simulate(Design(n_cell_lines=2, sgrnas_per_gene=(2, 2)))[0].assign(log_fc=-1.5)
    table.to_parquet(tmp_path / "screen.parquet")
    read = matrix.read_matrix(tmp_path / "screen.parquet")
    with pytest.raises(PoolscreenError, match=r"all 8 values of log_fc are -1\.5"):
        solve_large(models.get("m7b").FAMILY, read)


def test_the_command_writes_a_folder(written, tmp_path, monkeypatch):
    screen, path = written
    monkeypatch.setattr(matrix, "LARGE", 100)
    said = []
    options = {"columns": {}, "separator": None, "force": False, "say": said.append}
    commands.fit(path, "m7b", tmp_path / "out", **options)
    found = pd.read_parquet(tmp_path / "out" / "gamma_gc.parquet")
    assert set(found["gene"]) == set(screen.genes)
    assert len(pd.read_csv(tmp_path / "out" / "scalars.csv")) == 4
    with pytest.raises(PoolscreenError, match="by m7a and m7b, not by m8"):
        commands.fit(path, "m8", tmp_path / "other", **options)
    assert not (tmp_path / "other").exists()
    said.clear()
    commands.validate(path, {}, None, said.append)
    assert f"{len(screen.log_fc):,} rows" in said[-1]
