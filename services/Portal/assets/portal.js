// Pages work without this file. After a refused form the message has the focus, so that who listens hears it first.
document.getElementById("refused")?.focus();

// A form is sent once: a second click while the answer is on its way would ask again what has been answered.
const answeredBy = 5000;
addEventListener("submit", event => {
  const form = event.target;
  if (form.method !== "post")
    return;
  if (form.dataset.sent)
    event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, answeredBy);
});

// A list that is refused is asked for as a page, which says why; and a refusal that is no page is no part of one either.
addEventListener("htmx:before:response", event => {
  const { request, response, sourceElement } = event.detail.ctx;
  const asked = sourceElement.matches("form") && response.status >= 400;
  if (asked || response.headers.get("Content-Type") === "application/problem+json")
    event.preventDefault();
  if (asked)
    location.assign(request.action);
});

// The table below each chart holds the same figures.
for (const chart of document.querySelectorAll("[data-series]")) {
  const months = JSON.parse(chart.dataset.months);
  const series = JSON.parse(chart.dataset.series);
  const colours = ["#0059b3", "#a35200", "#2e6b34", "#b10e1e"];
  const plot = new uPlot({
    width: chart.clientWidth,
    height: 260,
    scales: { x: { time: false, range: [-0.5, months.length - 0.5] }, y: { range: (_, low, high) => [0, Math.max(high ?? 0, 5)] } },
    axes: [{ values: (_, splits) => splits.map(at => months[at] ?? ""), incrs: [1, 2, 3, 6, 12] }, {}],
    series: [
      { label: chart.dataset.label, value: (_, at) => months[at] ?? "" },
      ...series.map((line, i) => ({ label: line.name, stroke: colours[i], fill: series.length === 1 ? colours[i] + "33" : undefined, width: 2, points: { show: true } })),
    ],
  }, [months.map((_, i) => i), ...series.map(line => line.values)], chart);
  addEventListener("resize", () => plot.setSize({ width: chart.clientWidth, height: 260 }));
}
