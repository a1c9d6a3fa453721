// A figure to touch takes the place of the static one, where scripts run; print shows the static one.
// The library that draws it, Vega, comes from the site itself and is fetched when its reader comes near.
document.addEventListener("DOMContentLoaded", () => {
  const specifications = document.querySelectorAll("script.interactive");
  if (specifications.length === 0) return;

  const text = { labelFontSize: 13, titleFontSize: 13 };
  const config = { background: "transparent", view: { stroke: null }, axis: text, legend: text };
  const draw = (specification) => {
    const figure = document.getElementById(specification.dataset.figure);
    const view = document.createElement("div");
    view.className = "interactive-view";
    figure.prepend(view);
    const chart = JSON.parse(specification.textContent);
    chart.height = Math.min(chart.height, Math.round(0.85 * view.clientWidth)); // a phone is narrow
    // Its formulas are interpreted: the policy of the page lets no script make code.
    window.vegaEmbed(view, chart, { actions: false, renderer: "svg", ast: true, config })
      .then((drawn) => {
        figure.classList.add("has-interactive");
        // Vega measures its place when the window changes; a sidebar that opens changes it, too.
        new ResizeObserver(() => dispatchEvent(new Event("resize"))).observe(view);
        view.querySelector("svg").setAttribute("aria-label", figure.querySelector("img").alt);
        // A tap moves no pointer, and would show nothing.
        drawn.view.addEventListener("click", (event, item) => drawn.view.tooltip()(null, event, item, item?.tooltip));
      });
  };

  const here = document.querySelector('script[src*="_static/interactive.js"]').src;
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    const script = document.createElement("script");
    script.src = here.replace(/_static.*$/, "vendor/vega.js");
    script.onload = () => specifications.forEach(draw);
    document.head.append(script);
  }, { rootMargin: "800px" });
  specifications.forEach((specification) => near.observe(document.getElementById(specification.dataset.figure)));
});
