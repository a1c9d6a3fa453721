# A mixed model of a screen, by lme4, glmmTMB or nlme: Rscript mixed.R TOOL FORMULA SCREEN FOLDER
#
# Writes into the folder what a fit of poolscreen has, too: the scales, and every effect with its
# standard deviation, which nlme does not give. Estimates are by restricted maximum likelihood. How
# long it took from the start of R until the model was fitted is written, too.

given <- commandArgs(trailingOnly = TRUE)
tool <- given[1]
model <- as.formula(given[2])
screen <- read.csv(given[3], stringsAsFactors = TRUE)
suppressPackageStartupMessages(library(tool, character.only = TRUE))

if (tool == "nlme") {
  # It takes no formula with bars: the groups are nested in each other, in the order of the formula.
  groups <- regmatches(given[2], gregexpr("(?<=\\| )[^)]+", given[2], perl = TRUE))[[1]]
  columns <- lapply(strsplit(groups, ":"), function(names) {
    interaction(screen[names], drop = TRUE)
  })
  names(columns) <- sub(":.*", "", groups)
  nested <- as.formula(paste("~ 1 |", paste(names(columns), collapse = " / ")))
  fit <- lme(log_fc ~ 1, random = nested, data = data.frame(log_fc = screen$log_fc, columns))
  fitted_after <- proc.time()[["elapsed"]]
  sds <- as.numeric(VarCorr(fit)[, "StdDev"])
  scales <- data.frame(parameter = c(groups, "Residual"), mean = sds[!is.na(sds)])
  effects <- do.call(rbind, lapply(names(columns), function(name) {
    modes <- if (length(columns) == 1) ranef(fit) else ranef(fit)[[name]]
    data.frame(grpvar = name, grp = rownames(modes), condval = modes[, 1])
  }))
} else {
  if (tool == "lme4") {
    fit <- lmer(model, screen)
    fitted_after <- proc.time()[["elapsed"]]
    found <- as.data.frame(VarCorr(fit))
    scales <- data.frame(parameter = found$grp, mean = found$sdcor)
  } else {
    fit <- glmmTMB(model, screen, REML = TRUE)
    fitted_after <- proc.time()[["elapsed"]]
    found <- sapply(VarCorr(fit)$cond, attr, "stddev")
    names(found) <- names(VarCorr(fit)$cond)
    scales <- data.frame(parameter = c(names(found), "Residual"), mean = c(found, sigma(fit)))
  }
  effects <- as.data.frame(ranef(fit, condVar = TRUE))
}

dir.create(given[4])
write.csv(scales, file.path(given[4], "scalars.csv"), row.names = FALSE)
write.csv(effects, file.path(given[4], "effects.csv"), row.names = FALSE)
cat(sprintf('{"fitted_after": %.3f}', fitted_after), file = file.path(given[4], "more.json"))
