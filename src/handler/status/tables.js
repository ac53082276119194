/* tables.js: tables whose rows stay the same elements from one event to the next, and only change where they must. */
import {age, bytes, count, micros, percent, plural} from './format.js';

function setText(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

/* columns: {key, label, title, numeric, text(row), value(row), draw(cell, row)}. */
class Table {
    constructor(table, columns, key) {
        Object.assign(this, {table, columns, key, rows: new Map()});
        const head = table.createTHead().insertRow();
        this.headers = columns.map((column) => {
            const cell = document.createElement('th');
            cell.scope = 'col';
            cell.className = column.numeric ? 'numeric' : '';
            if (column.title)
                cell.title = column.title;
            cell.append(this.header(column));
            head.append(cell);
            return cell;
        });
        this.body = table.createTBody();
    }

    header(column) {
        return document.createTextNode(column.label);
    }

    makeRow() {
        const row = document.createElement('tr');
        for (const column of this.columns)
            row.insertCell().className = `${column.numeric ? 'numeric' : ''} ${column.key}`;
        return row;
    }

    fill(row, item) {
        this.columns.forEach((column, i) => {
            const cell = row.cells[i];
            if (column.draw)
                column.draw(cell, item);
            else
                setText(cell, column.text(item));
        });
    }

    show(items) {
        const kept = new Set(items.map(this.key));
        for (const [key, row] of this.rows)
            if (!kept.has(key)) {
                row.remove();
                this.rows.delete(key);
            }
        items.forEach((item, i) => {
            const key = this.key(item);
            const row = this.rows.get(key) ?? this.makeRow();
            this.rows.set(key, row);
            this.fill(row, item);
            if (this.body.rows[i] !== row)
                this.body.insertBefore(row, this.body.rows[i] ?? null);
        });
    }
}

/* ---- workers ---- */

function drawShare(cell, worker) {
    if (!cell.firstChild) {
        const bar = document.createElement('span');
        bar.className = 'bar';
        bar.append(document.createElement('i'));
        cell.append(bar, document.createElement('span'));
    }
    cell.firstChild.firstChild.style.width = `${100 * (worker.share ?? 0)}%`;
    setText(cell.lastChild, percent(worker.share));
}

const number = (key, label, format, title) =>
    ({key, label, title, numeric: true, text: (row) => format(row[key])});

const WORKER_COLUMNS = [
    {key: 'index', label: 'Worker', text: (worker) => String(worker.index)},
    {key: 'share', label: 'Share', title: 'of all connections that were accepted', draw: drawShare},
    number('accepted', 'Accepted', count),
    number('connections', 'Open', count),
    number('idle', 'Idle', count),
    number('rate', 'Requests/s', count),
    number('p50', 'p50', micros, 'latency of the last second'),
    number('p99', 'p99', micros, 'latency of the last second'),
    number('lag', 'Lag p99', micros),
    number('threads', 'Threads', count),
    number('stalls', 'Stalls', count),
];

export class Workers {
    constructor(table) {
        this.table = new Table(table, WORKER_COLUMNS, (worker) => worker.index);
    }

    show(workers) {
        this.table.show(workers);
    }
}

/* ---- green threads ---- */

const SHOWN = 200;

const waits = (t) => [t.wait, t.peer ?? (t.fd >= 0 ? `fd ${t.fd}` : '')].filter((s) => s).join(' ');

function drawState(cell, thread) {
    const state = thread.cancelled ? 'cancelled' : thread.state;
    if (!cell.firstChild)
        cell.append(document.createElement('span'));
    if (cell.firstChild.className !== `badge ${state}`)
        cell.firstChild.className = `badge ${state}`;
    setText(cell.firstChild, state);
}

/* A long one can be read whole by who points at it. A thread without one is the server's own. */
function drawRequest(cell, thread) {
    const text = thread.request ?? thread.name ?? '';
    setText(cell, text);
    cell.classList.toggle('own', thread.request === undefined);
    cell.title = text;
}

const word = (key, label, title) => ({key, label, title, text: (t) => t[key] ?? ''});

const THREAD_COLUMNS = [
    {...word('id', 'Id', 'worker’s process and number: ternctl stack ID'), value: (t) => Number(t.id.split('.')[1])},
    {key: 'state', label: 'State', draw: drawState, value: (t) => t.state},
    {key: 'waits', label: 'Waits for', text: waits, value: waits},
    {...number('since_ms', 'Since', age), value: (t) => t.since_ms ?? 0},
    word('handler', 'Handler'),
    word('route', 'Route'),
    {key: 'request', label: 'Request', draw: drawRequest, value: (t) => t.request ?? t.name ?? ''},
    {...number('cpu_us', 'CPU', micros), value: (t) => t.cpu_us ?? 0},
    {...number('stack', 'Stack', bytes, 'in use'), value: (t) => t.stack ?? 0},
];

const valueOf = (column, thread) => column.value ? column.value(thread) : column.text(thread);

function compare(a, b) {
    return typeof a === 'number' ? a - b : a.localeCompare(b);
}

class ThreadTable extends Table {
    header(column) {
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = column.label;
        button.addEventListener('click', () => this.sortBy(column));
        return button;
    }

    /* The largest number first; the other way round at the second click. */
    sortBy(column) {
        const same = this.order?.column === column;
        this.order = {column, descending: same ? !this.order.descending : !!column.numeric};
        this.columns.forEach((other, i) => {
            if (other === column)
                this.headers[i].setAttribute('aria-sort', this.order.descending ? 'descending' : 'ascending');
            else
                this.headers[i].removeAttribute('aria-sort');
        });
        this.changed?.();
    }

    sort(threads) {
        const {column, descending} = this.order;
        return threads.toSorted((a, b) => {
            const order = compare(valueOf(column, a), valueOf(column, b)) || compare(a.id, b.id);
            return descending ? -order : order;
        });
    }
}

export class Threads {
    constructor(table, {filter, note, counted}) {
        Object.assign(this, {filter, note, counted, answer: {threads: []}});
        this.table = new ThreadTable(table, THREAD_COLUMNS, (thread) => thread.id);
        this.table.sortBy(THREAD_COLUMNS.find((column) => column.key === 'since_ms'));
        this.table.changed = () => this.draw();
        filter.addEventListener('input', () => this.draw());
    }

    show(answer) {
        this.answer = answer.ok ? answer : {...answer, threads: []};
        this.draw();
    }

    draw() {
        const wanted = this.filter.value.trim().toLowerCase();
        const matches = (t) => [t.id, t.state, waits(t), t.handler, t.route, t.request, t.name].join('\n')
            .toLowerCase().includes(wanted);
        const found = this.answer.threads.filter(matches);
        this.table.show(this.table.sort(found).slice(0, SHOWN));
        const total = this.answer.total ?? this.answer.threads.length;
        setText(this.counted, found.length === total ? plural(total, 'thread', 'threads')
            : `${count(found.length)} of ${plural(total, 'thread', 'threads')}`);
        showNote(this.note, this.problems());
    }

    problems() {
        if (this.answer.ok === false)
            return `The green threads can’t be listed: ${this.answer.error}.`;
        return (this.answer.silent ?? []).map(({worker, pid}) =>
            `Worker ${worker} (process ${pid}) does not answer: one of its green threads may not yield.`).join(' ');
    }
}

function showNote(note, text) {
    setText(note, text);
    note.hidden = text === '';
}

/* ---- stalls ---- */

const where = (stall) => [`worker ${stall.worker}`, stall.handler, stall.route].filter((s) => s).join(' ');
const lasted = (stall) => age(stall.lasted_ms) + (stall.over === false ? ' so far' : stall.killed ? ', killed' : '');

function makeStall(stall) {
    const item = document.createElement('li'), details = document.createElement('details');
    const summary = document.createElement('summary'), trace = document.createElement('pre');
    for (const [name, text] of [['when', new Date(stall.at_ms).toLocaleTimeString()], ['lasted', lasted(stall)],
        ['cause', stall.cause ?? ''], ['what', stall.request || stall.name || ''], ['where', where(stall)]]) {
        const span = document.createElement('span');
        span.className = name;
        span.textContent = text;
        summary.append(span);
    }
    trace.textContent = stall.trace?.join('\n') || 'no backtrace';
    details.append(summary, trace);
    item.append(details);
    return item;
}

export class Stalls {
    constructor(list, note) {
        Object.assign(this, {list, note});
    }

    /* It comes only when there is something new; what was open stays so. */
    show(answer) {
        const stalls = answer.stalls ?? [];
        const open = new Set([...this.list.querySelectorAll('li:has(details[open])')].map((item) => item.dataset.key));
        this.list.replaceChildren(...stalls.map((stall) => {
            const item = makeStall(stall);
            item.dataset.key = `${stall.id} ${stall.at_ms}`;
            item.firstChild.open = open.has(item.dataset.key); /* it goes on, say */
            return item;
        }));
        showNote(this.note, answer.ok === false ? `They can’t be listed: ${answer.error}.`
            : stalls.length ? '' : 'None.');
    }
}
