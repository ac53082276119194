/* charts.js: what the last two minutes were like, as lines that move to the left. */
const SPAN = 120000; /* milliseconds */
const GAP = 3500;    /* a longer one between two samples is a hole in a line */
const TIMES = [[0, '2 min ago', 'start'], [0.5, '1 min ago', 'middle'], [1, 'now', 'end']];
const HEIGHT = 168, LEFT = 52, RIGHT = 8, TOP = 10, BOTTOM = 22;

function make(name, attributes, parent) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes))
        element.setAttribute(key, value);
    if (parent)
        parent.append(element);
    return element;
}

/* 1, 2 or 5 times a power of ten, so that about three of them reach the top. */
function step(top) {
    const power = 10 ** Math.floor(Math.log10(top / 3));
    return [1, 2, 5, 10].map((n) => n * power).find((s) => top / s <= 4);
}

function linearScale(top) {
    const s = step(Math.max(top, 4)), max = Math.ceil(Math.max(top, 4) / s) * s;
    const ticks = [];
    for (let value = 0; value <= max + s / 2; value += s)
        ticks.push(value);
    return {ticks, place: (value) => value / max};
}

/* By decades, at least two of them; of many, every other one has a tick. */
function logScale(bottom, top) {
    const low = Math.floor(Math.log10(Math.max(bottom, 1)));
    const high = Math.max(Math.ceil(Math.log10(Math.max(top, 1))), low + 2);
    const ticks = [];
    for (let power = high; power >= low; power -= high - low > 5 ? 2 : 1)
        ticks.push(10 ** power);
    return {ticks, place: (value) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)};
}

export class Chart {
    /* names: of the lines; tick, value: how numbers are written; stacked: each line stands on the one before. */
    constructor(figure, {names, tick, value, log = false, stacked = false}) {
        Object.assign(this, {figure, tick, value, log, stacked, samples: []});
        this.svg = make('svg', {role: 'img', height: HEIGHT}, figure);
        this.svg.setAttribute('aria-label', figure.querySelector('h2').textContent);
        this.grid = make('g', {class: 'grid'}, this.svg);
        this.plot = make('g', {class: 'plot'}, this.svg);
        this.legend = document.createElement('ul');
        figure.append(this.legend);
        this.rename(names);
        new ResizeObserver(() => this.draw()).observe(figure);
    }

    rename(names) {
        if (this.names && names.join() === this.names.join())
            return;
        this.names = names;
        this.samples = [];
        this.plot.replaceChildren();
        this.legend.replaceChildren();
        this.lines = names.map((name, i) => {
            const area = this.stacked ? make('path', {class: `area series${i % 8}`}, this.plot) : null;
            const line = make('path', {class: `line series${i % 8}`}, this.plot);
            const item = document.createElement('li'), key = make('svg', {width: 18, height: 8, 'aria-hidden': 'true'});
            make('path', {class: `line series${i % 8}`, d: 'M1 4H17'}, key);
            const label = document.createElement('span'), now = document.createElement('b');
            label.textContent = name;
            item.append(key, label, now);
            this.legend.append(item);
            return {area, line, now};
        });
    }

    /* values: one for each line; null: there is none. */
    push(at, values) {
        this.samples.push({at, values});
        while (this.samples.length && this.samples[0].at < at - SPAN - GAP)
            this.samples.shift();
        this.lines.forEach((line, i) => { line.now.textContent = this.value(values[i]); });
        this.draw();
    }

    /* The tops of the lines, and what they stand on. */
    heights() {
        return this.samples.map(({at, values}) => {
            let base = 0;
            return {at, points: values.map((value) => {
                if (value === null)
                    return null;
                const from = this.stacked ? base : 0;
                base = from + value;
                return [from, base];
            })};
        });
    }

    draw() {
        if (document.hidden || !this.figure.clientWidth)
            return;
        const width = this.svg.clientWidth, heights = this.heights();
        const all = heights.flatMap(({points}) => points.filter((p) => p).map((p) => p[1]));
        const top = Math.max(...all, 0);
        const scale = this.log ? logScale(Math.min(...all, 1000), top) : linearScale(top);
        const now = heights.length ? heights[heights.length - 1].at : 0;
        const x = (at) => LEFT + (width - LEFT - RIGHT) * (1 - (now - at) / SPAN);
        const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - scale.place(value));
        this.svg.setAttribute('width', width);
        this.drawGrid(width, scale.ticks, y);
        this.lines.forEach((line, i) => this.drawLine(line, heights.map(({at, points}) => [at, points[i]]), x, y));
    }

    drawGrid(width, ticks, y) {
        this.grid.replaceChildren();
        for (const value of ticks) {
            make('path', {d: `M${LEFT} ${y(value).toFixed(1)}H${width - RIGHT}`}, this.grid);
            make('text', {x: LEFT - 8, y: (y(value) + 4).toFixed(1), 'text-anchor': 'end'}, this.grid).textContent =
                this.tick(value);
        }
        for (const [share, label, anchor] of TIMES)
            make('text', {x: LEFT + (width - LEFT - RIGHT) * share, y: HEIGHT - 4, 'text-anchor': anchor}, this.grid)
                .textContent = label;
    }

    /* A run is a piece without a hole. */
    drawLine({area, line}, points, x, y) {
        const runs = [];
        let before = -Infinity;
        for (const [at, point] of points) {
            if (!point || x(at) < LEFT)
                continue;
            if (at - before > GAP)
                runs.push([]);
            runs[runs.length - 1].push([x(at).toFixed(1), y(point[1]).toFixed(1), y(point[0]).toFixed(1)]);
            before = at;
        }
        const top = (run) => run.map(([px, py]) => `${px} ${py}`).join('L');
        const bottom = (run) => run.toReversed().map(([px, , pb]) => `${px} ${pb}`).join('L');
        line.setAttribute('d', runs.map((run) => `M${top(run)}${run.length === 1 ? 'h0' : ''}`).join(''));
        if (area)
            area.setAttribute('d', runs.map((run) => `M${top(run)}L${bottom(run)}Z`).join(''));
    }
}
