/* Draws the charts of the dashboard with Chart.js, in the colours of dashboard.css, and again when the theme changes.

   A canvas names the element with its JSON: kind ("bars" or "line"), labels, and series of values with their texts and
   URLs. A click on a bar or a point opens the list of what it counts, as the links in the table do. */
(() => {
    "use strict";

    const FONT = "Inter, sans-serif";

    /* Tell the series apart without colours. */
    const PATTERNS = {
        cancelled: (pen) => drawLines(pen, [[0, 8], [8, 0]], [[-2, 2], [2, -2]], [[6, 10], [10, 6]]),
        rejected: (pen) => drawLines(pen, [[0, 0], [8, 8]], [[0, 8], [8, 0]]),
        expired: (pen) => { pen.beginPath(); pen.arc(4, 4, 1.7, 0, 2 * Math.PI); pen.fill(); },
        not_over: (pen) => drawLines(pen, [[0, 2], [8, 2]], [[0, 6], [8, 6]]),
    };

    const drawLines = (pen, ...strokes) => {
        for (const [[fromX, fromY], [toX, toY]] of strokes) {
            pen.beginPath();
            pen.moveTo(fromX, fromY);
            pen.lineTo(toX, toY);
            pen.stroke();
        }
    };

    const drawTile = (key, colour, ground) => {
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
    const getColour = (name) => getComputedStyle(page).getPropertyValue(`--dashboard-${name}`).trim();

    const paintSwatches = () => {
        for (const swatch of page.querySelectorAll("[data-swatch]")) {
            const colour = getColour(swatch.dataset.swatch);
            swatch.style.background = `url(${drawTile(swatch.dataset.swatch, colour, getColour("ground")).toDataURL()})`;
            swatch.style.boxShadow = `inset 0 0 0 1px ${colour}`;
        }
    };

    const buildDataset = (series, kind, pen) => {
        const colour = getColour(series.key);
        const shared = { label: series.title, data: series.values, borderColor: colour };
        if (kind === "line") {
            return { ...shared, backgroundColor: colour, borderWidth: 2, pointRadius: 4, pointHoverRadius: 6, spanGaps: false, tension: 0 };
        }
        const fill = pen.createPattern(drawTile(series.key, colour, getColour("ground")), "repeat");
        return { ...shared, backgroundColor: fill, borderWidth: 1, maxBarThickness: 44 };
    };

    const buildOptions = (picture) => {
        const text = getColour("text");
        const ticks = { color: text, font: { family: FONT, size: 12 } };
        const stacked = picture.kind === "bars";
        const getUrl = (found) => found.length ? picture.series[found[0].datasetIndex].urls[found[0].index] : "";
        return {
            animation: false,
            responsive: true,
            maintainAspectRatio: false,
            interaction: { mode: stacked ? "nearest" : "index", intersect: stacked },
            onClick: (_event, found) => { const url = getUrl(found); if (url) window.location.assign(url); },
            onHover: (event, found) => { event.native.target.style.cursor = getUrl(found) ? "pointer" : "default"; },
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
                x: { stacked, border: { color: getColour("grid") }, grid: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 12 } },
                y: {
                    stacked,
                    beginAtZero: true,
                    max: picture.axisMax ?? undefined,
                    border: { display: false },
                    grid: { color: getColour("grid") },
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
                data: { labels: picture.labels, datasets: picture.series.map((series) => buildDataset(series, picture.kind, pen)) },
                options: buildOptions(picture),
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
    // A canvas does not wait for fonts.
    document.fonts.load(`12px ${FONT}`).then(draw, () => {});
})();
