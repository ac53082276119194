/* app.js: the stream of events, and what becomes of each. */
import {Chart} from './charts.js';
import {age, count, micros, microsTick, plural, tick} from './format.js';
import {Stalls, Threads, Workers} from './tables.js';

const SILENCE = 5000;    /* without an event: something is wrong */
const HOPELESS = 20000;  /* the same: better try anew */
const AGAIN = 5000;      /* after a refusal, which a browser takes for final */

const $ = (id) => document.getElementById(id);

function set(id, text) {
    const element = $(id);
    if (element.textContent !== text)
        element.textContent = text;
}

/* ---- parts ---- */

const QUANTILES = {names: ['p50', 'p99', 'p99.9'], tick: microsTick, value: micros, log: true};
const rateChart = new Chart($('rate-chart'), {names: [], tick, value: count, stacked: true});
const latencyChart = new Chart($('latency-chart'), QUANTILES);
const lagChart = new Chart($('lag-chart'), QUANTILES);
const workerTable = new Workers($('workers'));
const threadTable = new Threads($('threads-table'),
    {filter: $('filter'), note: $('threads-note'), counted: $('threads-count')});
const stallList = new Stalls($('stalls-list'), $('stalls-note'));

/* ---- samples ---- */

let before = null; /* the last sample */

const sum = (rows, key) => rows.reduce((all, row) => all + row[key], 0);

/* What was in the last second: null, where nothing was. */
const quantile = (span, key) => span.count ? span[key] : null;
const quantiles = (span) => ['p50', 'p99', 'p999'].map((key) => quantile(span, key));

/* Counters of two samples can be compared when they are of one generation. */
function rates(sample) {
    const seconds = before?.generation === sample.generation ? (sample.at_ms - before.at_ms) / 1000 : 0;
    return sample.workers.map((worker, i) =>
        seconds > 0 ? (worker.requests - before.workers[i].requests) / seconds : null);
}

function describe(sample) {
    const accepted = sum(sample.workers, 'accepted'), perWorker = rates(sample);
    return sample.workers.map((worker, index) => ({
        ...worker, index,
        rate: perWorker[index],
        share: accepted ? worker.accepted / accepted : null,
        p50: quantile(worker.latency, 'p50'),
        p99: quantile(worker.latency, 'p99'),
        lag: quantile(worker.lag, 'p99'),
    }));
}

function showHeader(sample) {
    set('version', sample.version);
    set('generation', String(sample.generation));
    set('uptime', age(sample.uptime_ms));
}

function showTiles(sample, workers) {
    const total = (key) => sum(workers, key), [p50, p99, p999] = quantiles(sample.latency);
    set('rate', workers.some((w) => w.rate === null) ? '–' : count(total('rate')));
    set('requests', `${count(total('requests'))} answered`);
    set('p50', micros(p50));
    set('quantiles', `p99 ${micros(p99)} · p99.9 ${micros(p999)}`);
    set('connections', count(total('connections')));
    set('idle', `${count(total('idle'))} idle`);
    set('threads', count(total('threads')));
    set('standing', `${count(total('waiting'))} waiting · ${count(total('ready'))} ready`);
    set('lag', micros(quantile(sample.lag, 'p99')));
    set('stalls', count(total('stalls')));
    set('mishaps', `${plural(total('slow'), 'request', 'requests')} slow · ${count(total('cut'))} cut`);
    $('stalls-tile').classList.toggle('alarm', total('stalls') > 0);
}

function showSample(sample) {
    /* Another version may have another page. */
    if (before && before.version !== sample.version)
        location.reload();
    const workers = describe(sample);
    showHeader(sample);
    showTiles(sample, workers);
    workerTable.show(workers);
    rateChart.rename(workers.map(({index}) => `worker ${index}`));
    rateChart.push(sample.at_ms, workers.map(({rate}) => rate));
    latencyChart.push(sample.at_ms, quantiles(sample.latency));
    lagChart.push(sample.at_ms, quantiles(sample.lag));
    before = sample;
}

/* ---- the stream ---- */

const STATES = {connecting: 'connecting', live: 'live', lost: 'lost, trying again'};

let source = null, heard = Date.now();

function setState(state) {
    $('stream').className = state;
    set('stream-text', STATES[state]);
}

function on(name, show) {
    source.addEventListener(name, (event) => {
        heard = Date.now();
        setState('live');
        show(JSON.parse(event.data));
    });
}

function connect() {
    source?.close();
    source = new EventSource('events');
    heard = Date.now();
    on('sample', showSample);
    on('threads', (answer) => threadTable.show(answer));
    on('stalls', (answer) => stallList.show(answer));
    source.addEventListener('error', () => {
        setState('lost');
        if (source.readyState === EventSource.CLOSED)
            setTimeout(connect, AGAIN);
    });
}

setInterval(() => {
    const silence = Date.now() - heard;
    if (silence > SILENCE)
        setState('lost');
    if (silence > HOPELESS && source.readyState !== EventSource.CLOSED)
        connect();
}, 1000);

connect();
