/* Draws the charts of the dashboard with Chart.js, in the colours of dashboard.css, anew whenever light turns to dark.

   A canvas names the element that holds its picture as JSON: kind ("bars" or "line"), labels, and series of values with
   their words and addresses. A click on a bar or a point leads to the list of what it counts, as the table below does. */
(() => {
    "use strict";

    const FONT = "Inter, sans-serif";

    /* What tells the series apart for those who do not see it by the colour. */
    const PATTERNS = {
        cancelled: (pen) => line(pen, [[0, 8], [8, 0]], [[-2, 2], [2, -2]], [[6, 10], [10, 6]]),
        rejected: (pen) => line(pen, [[0, 0], [8, 8]], [[0, 8], [8, 0]]),
        expired: (pen) => { pen.beginPath(); pen.arc(4, 4, 1.7, 0, 2 * Math.PI); pen.fill(); },
        not_over: (pen) => line(pen, [[0, 2], [8, 2]], [[0, 6], [8, 6]]),
    };

    const line = (pen, ...strokes) => {
        for (const [[fromX, fromY], [toX, toY]] of strokes) {
            pen.beginPath();
            pen.moveTo(fromX, fromY);
            pen.lineTo(toX, toY);
            pen.stroke();
        }
    };

    const tile = (key, colour, ground) => {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 8;
        const pen = canvas.getContext("2d");
        const draw = PATTERNS[key];
        pen.fillStyle = draw ? ground : colour;
        pen.fillRect(0, 0, 8, 8);
        if (draw) {
            pen.fillStyle = pen.strokeStyle = colour;
            pen.lineWidth = 1.8;
            draw(pen);
        }
        return canvas;
    };

    const page = document.querySelector(".dashboard");
    const colourOf = (name) => getComputedStyle(page).getPropertyValue(`--dashboard-${name}`).trim();

    const paintSwatches = () => {
        for (const swatch of page.querySelectorAll("[data-swatch]")) {
            const colour = colourOf(swatch.dataset.swatch);
            swatch.style.background = `url(${tile(swatch.dataset.swatch, colour, colourOf("ground")).toDataURL()})`;
            swatch.style.boxShadow = `inset 0 0 0 1px ${colour}`;
        }
    };

    const dataset = (series, kind, pen) => {
        const colour = colourOf(series.key);
        const shared = { label: series.title, data: series.values, borderColor: colour };
        if (kind === "line") {
            return { ...shared, backgroundColor: colour, borderWidth: 2, pointRadius: 4, pointHoverRadius: 6, spanGaps: false, tension: 0 };
        }
        const fill = pen.createPattern(tile(series.key, colour, colourOf("ground")), "repeat");
        return { ...shared, backgroundColor: fill, borderWidth: 1, maxBarThickness: 44 };
    };

    const options = (picture) => {
        const text = colourOf("text");
        const ticks = { color: text, font: { family: FONT, size: 12 } };
        const stacked = picture.kind === "bars";
        const urlAt = (found) => found.length ? picture.series[found[0].datasetIndex].urls[found[0].index] : "";
        return {
            animation: false,
            responsive: true,
            maintainAspectRatio: false,
            interaction: { mode: stacked ? "nearest" : "index", intersect: stacked },
            onClick: (_event, found) => { const url = urlAt(found); if (url) window.location.assign(url); },
            onHover: (event, found) => { event.native.target.style.cursor = urlAt(found) ? "pointer" : "default"; },
            plugins: {
                legend: { display: false },
                tooltip: {
                    callbacks: {
                        label: ({ datasetIndex, dataIndex }) => {
                            const series = picture.series[datasetIndex];
                            return `${series.title}: ${series.texts[dataIndex]}`;
                        },
                    },
                },
            },
            scales: {
                x: { stacked, border: { color: colourOf("grid") }, grid: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 12 } },
                y: {
                    stacked,
                    beginAtZero: true,
                    max: picture.axisMax ?? undefined,
                    border: { display: false },
                    grid: { color: colourOf("grid") },
                    ticks: { ...ticks, precision: 0, maxTicksLimit: 6, callback: (value) => `${value}${picture.unit}` },
                },
            },
        };
    };

    const charts = [...page.querySelectorAll("canvas[data-picture]")].map((canvas) => ({
        canvas,
        picture: JSON.parse(document.getElementById(canvas.dataset.picture).textContent),
        chart: null,
    }));

    const draw = () => {
        paintSwatches();
        for (const each of charts) {
            const { canvas, picture } = each;
            const pen = canvas.getContext("2d");
            each.chart?.destroy();
            each.chart = new Chart(pen, {
                type: picture.kind === "line" ? "line" : "bar",
                data: { labels: picture.labels, datasets: picture.series.map((series) => dataset(series, picture.kind, pen)) },
                options: options(picture),
            });
        }
    };

    let isDark = null;
    const drawIfChanged = () => {
        const nowDark = document.documentElement.classList.contains("dark");
        if (nowDark !== isDark) {
            isDark = nowDark;
            draw();
        }
    };
    new MutationObserver(drawIfChanged).observe(document.documentElement, { attributeFilter: ["class"] });
    drawIfChanged();
    // What a canvas is written with is not waited for by itself.
    document.fonts.load(`12px ${FONT}`).then(draw, () => {});
})();
