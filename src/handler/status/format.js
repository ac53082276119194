/* format.js: numbers and times as people read them. What is not known is a dash. */
const UNKNOWN = '–';
const plain = new Intl.NumberFormat('en');

const known = (value) => value !== null && value !== undefined && Number.isFinite(value);

/* Three digits that count. */
function short(value) {
    return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

export function count(value) {
    return known(value) ? plain.format(Math.round(value)) : UNKNOWN;
}

export function plural(value, one, many) {
    return `${count(value)} ${value === 1 ? one : many}`;
}

export function micros(us) {
    if (!known(us))
        return UNKNOWN;
    if (us < 1000)
        return `${Math.round(us)} µs`;
    return us < 999500 ? `${short(us / 1000)} ms` : `${short(us / 1000000)} s`;
}

const UNITS = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];

/* The largest unit, and the one below it. */
export function age(ms) {
    if (!known(ms))
        return UNKNOWN;
    if (ms < 10000)
        return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
    const seconds = Math.floor(ms / 1000);
    const i = UNITS.findIndex(([size]) => seconds >= size);
    const [size, unit] = UNITS[i], next = UNITS[i + 1];
    const rest = next ? Math.floor((seconds % size) / next[0]) : 0;
    return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${next[1]}` : ''}`;
}

export function bytes(n) {
    if (!known(n))
        return UNKNOWN;
    return n < 1024 ? `${n} B` : `${short(n / 1024)} KiB`;
}

export function percent(share) {
    return known(share) ? `${(100 * share).toFixed(1)} %` : UNKNOWN;
}

/* Ticks of an axis: 10 µs, 1 ms; 0, 500, 2k, 1.5M */
export function microsTick(us) {
    return micros(us).replace(/\.0+ /, ' ');
}

export function tick(value) {
    for (const [size, unit] of [[1e6, 'M'], [1e3, 'k']])
        if (value >= size)
            return `${Number((value / size).toFixed(1))}${unit}`;
    return String(value);
}
