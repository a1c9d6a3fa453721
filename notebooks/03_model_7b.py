# %% [markdown]
# # 03_model_7b

# %%
from poolscreen.fits import load_fit
load_fit("m7a").attrs["seed"]
