// A figure to touch takes the place of the static one, where scripts run; print shows the static one.
// The library that draws it, Vega, comes from the site itself and is fetched only where it is needed.
document.addEventListener("DOMContentLoaded", () => {
  const specifications = document.querySelectorAll("script.interactive");
  if (specifications.length === 0) return;

  const root = document.documentElement;
  const draw = (specification) => {
    const figure = document.getElementById(specification.dataset.figure);
    let view = figure.querySelector(".interactive-view");
    if (!view) {
      view = document.createElement("div");
      view.className = "interactive-view";
      figure.prepend(view);
    }
    const ink = getComputedStyle(root).getPropertyValue("--pst-color-text-base").trim();
    const line = getComputedStyle(root).getPropertyValue("--pst-color-border").trim();
    const config = {
      background: "transparent",
      view: { stroke: null },
      axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 13, titleFontSize: 13 },
      legend: { labelColor: ink, titleColor: ink, labelFontSize: 13, titleFontSize: 13 },
    };
    const options = { actions: false, renderer: "svg", config };
    window.vegaEmbed(view, JSON.parse(specification.textContent), options)
      .then(() => figure.classList.add("has-interactive"));
  };

  const here = document.querySelector('script[src*="_static/interactive.js"]').src;
  const script = document.createElement("script");
  script.src = here.replace(/_static.*$/, "vendor/vega.js");
  script.onload = () => {
    const all = () => specifications.forEach(draw);
    all();
    new MutationObserver(all).observe(root, { attributeFilter: ["data-theme"] });
  };
  document.head.append(script);
});
