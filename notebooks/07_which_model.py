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
# # Which model to believe

# %%
from poolscreen.calibration import load_calibration
from poolscreen.prediction import load_predictions

predictions = {
    "no pooling, by gene": load_predictions("m7a_unpooled"),
    "no pooling, by sgRNA": load_predictions("m7b_unpooled"),
    "7a": load_predictions("m7a"),
    "7b": load_predictions("m7b"),
    "7c": load_predictions("m7c"),
    "7": load_predictions("m7"),
}
calibrations = {"7": load_calibration("m7"), "7c": load_calibration("m7c")}
