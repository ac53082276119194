#!/usr/bin/env python3
"""status_browser.py URL [--stall PATH] [--reload COMMAND ...]: looks at the status page at URL in headless Chromium.

status_browser.py URL --screenshot FILE [--seconds N] [--scheme light|dark]: makes a picture of it after so long.

The server is the one of status_browser.yaml, which meanwhile is asked for this and that. A request for the PATH stalls.
Chromium is driven through chromedriver, by the WebDriver protocol (W3C) and a little of the DevTools protocol.
Everything it starts has ended when it ends; exit status 1 and a line on stderr for each thing that is wrong.
"""
import argparse
import base64
import ctypes
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

PATIENCE = 30   # seconds for whatever is waited for
LIMIT = 150     # for all of it
PR_SET_PDEATHSIG = 1


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Browser:
    """A headless Chromium with a profile of its own."""

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix='tern-browser-')
        self.driver = None
        self.session = None
        try:
            self.start_driver()
            self.start_session()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start_driver(self):
        environment = dict(os.environ, HOME=self.directory, TMPDIR=self.directory)
        self.driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, env=environment, start_new_session=True,
                                       preexec_fn=die_with_parent)
        for line in self.driver.stdout:
            if 'started successfully on port ' in line:
                self.base = 'http://127.0.0.1:' + line.rstrip().rstrip('.').rsplit(' ', 1)[1]
                break
        else:
            raise RuntimeError('chromedriver does not start')
        threading.Thread(target=self.driver.stdout.read, daemon=True).start()

    def start_session(self):
        arguments = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
                     '--disable-background-networking', '--disable-component-update', '--disable-extensions',
                     '--hide-scrollbars', '--force-device-scale-factor=1', '--window-size=1280,900',
                     '--user-data-dir=' + self.directory + '/profile']
        options = {'args': arguments, 'binary': shutil.which('chromium')}
        wanted = {'browserName': 'chrome', 'goog:chromeOptions': options, 'goog:loggingPrefs': {'browser': 'ALL'}}
        self.session = self.call('POST', '/session', {'capabilities': {'alwaysMatch': wanted}})['sessionId']

    def __exit__(self, *_):
        try:
            if self.session:
                self.command('DELETE', '')
        except OSError:
            pass
        if self.driver:
            try:
                os.killpg(self.driver.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.driver.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def call(self, method, path, data=None):
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.base + path, body, {'Content-Type': 'application/json'}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            raise RuntimeError(f'{method} {path}: {json.load(error)["value"]["message"]}') from None

    def command(self, method, path, data=None):
        return self.call(method, f'/session/{self.session}{path}', data)

    def devtools(self, name, **parameters):
        return self.command('POST', '/goog/cdp/execute', {'cmd': name, 'params': parameters})

    def open(self, url):
        self.command('POST', '/url', {'url': url})

    def run(self, script, *arguments):
        return self.command('POST', '/execute/sync', {'script': script, 'args': arguments})

    def log(self):
        return self.command('POST', '/se/log', {'type': 'browser'})

    def picture(self):
        return base64.b64decode(self.command('GET', '/screenshot'))

    def text(self, selector):
        return self.run('return document.querySelector(arguments[0])?.textContent ?? ""', selector)

    def until(self, what, script, *arguments):
        """Waits until the script returns something true, and returns that."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            result = self.run(script, *arguments)
            if result:
                return result
            time.sleep(0.1)
        raise AssertionError(f'never happened: {what}')

    def scheme(self, name):
        self.devtools('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': name}])

    def screen(self, width, height):
        self.devtools('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1,
                      mobile=False)


class Load:
    """Clients: some in a hurry, of whom there are more at times, and some who wait for something slow."""

    HURRIED = 3
    PATIENT = (('/search?q=tern', 4), ('/orders/17', 3), ('/report/sales?year=2026', 3))

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.address = parts.hostname, parts.port
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.hurry, args=(i,), daemon=True) for i in range(self.HURRIED)]
        self.threads += [threading.Thread(target=self.wait, args=(target,), daemon=True)
                         for target, clients in self.PATIENT for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def ask(self, target, times):
        """One after the other, on a connection of their own, which a reload may end."""
        request = f'GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode()
        try:
            with socket.create_connection(self.address, PATIENCE) as peer:
                for _ in range(times):
                    peer.sendall(request)
                    if not peer.recv(65536):
                        return
        except OSError:
            time.sleep(0.1)

    def hurry(self, client):
        begun = time.monotonic()
        while not self.over.wait(0.05):
            phase = (time.monotonic() - begun) / (5 + client)
            self.ask('/hello', int(60 + 40 * math.sin(phase) + 15 * math.sin(7 * phase)))

    def wait(self, target):
        while not self.over.is_set():
            self.ask(target, 1)


NUMBER = 'return Number(document.getElementById(arguments[0]).textContent.replaceAll(",", "")) > 0'
ROWS = 'return [...document.querySelectorAll("#threads-table tbody tr")].map((row) => row.innerText)'
SLEEPER = ROWS + '.find((row) => row.includes("module sleep") && row.includes("/report/sales"))'
LIVE = 'return document.getElementById("stream").className === "live"'


class Check:
    """What is to be true of the page; what is not is said at once."""

    def __init__(self, browser, url):
        self.browser = browser
        self.url = url
        self.failures = 0

    def expect(self, condition, what):
        if not condition:
            self.failures += 1
            print('status_browser:', what, file=sys.stderr)

    def loads(self):
        self.browser.open(self.url)
        self.browser.until('the stream is live', LIVE)
        version = self.browser.text('#version')
        self.expect(version.count('.') == 2, f'version is {version!r}')
        loaded = self.browser.run('return performance.getEntriesByType("resource").map((entry) => entry.name)')
        self.expect(len(loaded) >= 5, f'only {loaded} were loaded')
        for name in loaded:
            self.expect(name.startswith(self.url), f'{name} lies outside')

    def moves(self):
        for name in ('rate', 'requests', 'connections', 'threads'):
            self.browser.until(f'{name} is above 0', NUMBER.replace('.replaceAll', '.split(" ")[0].replaceAll'), name)
        for name in ('p50', 'lag'):
            self.browser.until(f'{name} is known', 'return document.getElementById(arguments[0]).textContent !== "–"',
                               name)
        before = self.browser.text('#requests')
        self.browser.until('the number of requests grows',
                           'return document.getElementById("requests").textContent !== arguments[0]', before)
        for chart in ('rate-chart', 'latency-chart', 'lag-chart'):
            self.browser.until(f'{chart} has a line', 'return document.querySelector(`#${arguments[0]} .plot .line`)'
                               '?.getAttribute("d")?.includes("L")', chart)
        workers = self.browser.run('return document.querySelectorAll("#workers tbody tr").length')
        self.expect(workers == 2, f'{workers} workers in the table')

    def lists_threads(self):
        row = self.browser.until('a sleeping handler is listed', SLEEPER)
        self.expect('timer' in row, f'{row!r} does not wait for a timer')
        self.expect('2026' not in row and 'q=tern' not in row, f'the query is not masked in {row!r}')
        self.browser.run('const f = document.getElementById("filter"); f.value = arguments[0];'
                         'f.dispatchEvent(new Event("input"))', 'module sleep')
        rows = self.browser.run(ROWS)
        self.expect(rows and all('module sleep' in row for row in rows), f'the filter lets {rows} through')
        self.browser.run('[...document.querySelectorAll("#threads-table th button")]'
                         '.find((button) => button.textContent === "Stack").click()')
        sorted_by = self.browser.run('return document.querySelector("th[aria-sort]").innerText')
        self.expect(sorted_by.startswith('Stack'), f'sorted by {sorted_by!r}')

    def tells_of_stalls(self, path):
        urllib.request.urlopen(urllib.parse.urljoin(self.url, path), timeout=PATIENCE).close()
        stall = self.browser.until('a stall is listed',
                                   'return document.querySelector("#stalls-list li")?.textContent')
        for part in (path, 'module stall', 'compute_on', 'ms'):
            self.expect(part in stall, f'{part!r} is not in the stall {stall!r}')
        self.browser.until('the tile is marked', 'return document.querySelector("#stalls-tile.alarm #stalls")'
                           '?.textContent === "1"')
        self.browser.run('document.querySelector("#stalls-list summary").click()')
        self.expect(self.browser.run('return document.querySelector("#stalls-list pre").checkVisibility()'),
                    'the backtrace does not open')

    def keeps_rows(self):
        """The same elements, second after second: nothing flickers."""
        self.browser.run('document.querySelector("#workers tbody tr").dataset.mark = "kept"')
        uptime = self.browser.text('#uptime')
        self.browser.until('time goes on', 'return document.getElementById("uptime").textContent !== arguments[0]',
                           uptime)
        self.expect(self.browser.run('return document.querySelector("#workers tbody tr").dataset.mark') == 'kept',
                    'rows are made anew')

    def fits(self):
        colour = 'return getComputedStyle(document.body).backgroundColor'
        colours = []
        for scheme in ('light', 'dark'):
            self.browser.scheme(scheme)
            colours.append(self.browser.run(colour))
        self.expect(colours[0] != colours[1], f'light and dark are both {colours[0]}')
        self.browser.screen(360, 740)
        width = self.browser.run('return document.scrollingElement.scrollWidth')
        self.expect(width <= 360, f'a phone would have to scroll to {width}')
        self.browser.screen(1280, 900)
        unnamed = self.browser.run('return [...document.querySelectorAll("input, button, th, [role=region], [role=img]")]'
                                   '.filter((e) => !(e.labels?.length || e.textContent.trim() || e.ariaLabel ||'
                                   ' e.hasAttribute("aria-labelledby"))).map((e) => e.outerHTML)')
        self.expect(not unnamed, f'{unnamed} have no names')

    def survives_reload(self, command):
        before = self.browser.text('#generation')
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
        self.browser.until('the next generation is shown',
                           'return document.getElementById("generation").textContent !== arguments[0]', before)
        self.browser.until('the stream is live again', LIVE)
        self.browser.until('requests are counted anew', NUMBER, 'rate')

    def says_nothing(self):
        entries = [entry['message'] for entry in self.browser.log()]
        self.expect(not entries, f'the browser has logged {entries}')

    def runs_nothing_else(self):
        """Its policy would keep a script that got into the page from being run."""
        self.browser.run('const s = document.createElement("script"); s.textContent = "window.injected = true";'
                         'document.body.append(s)')
        self.expect(not self.browser.run('return !!window.injected'), 'an inline script runs')


def look(browser, url, options):
    check = Check(browser, url)
    check.loads()
    check.moves()
    check.lists_threads()
    if options.stall:
        check.tells_of_stalls(options.stall)
    check.keeps_rows()
    check.fits()
    if options.reload:
        check.survives_reload(options.reload)
    check.says_nothing()
    check.runs_nothing_else()
    return check.failures


def take_picture(browser, url, options):
    browser.screen(1280, 900)
    browser.scheme(options.scheme)
    browser.open(url)
    browser.until('the stream is live', LIVE)
    time.sleep(options.seconds)
    with open(options.screenshot, 'wb') as file:
        file.write(browser.picture())
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('url')
    parser.add_argument('--screenshot')
    parser.add_argument('--seconds', type=int, default=125)
    parser.add_argument('--scheme', default='dark')
    parser.add_argument('--stall')
    parser.add_argument('--reload', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, lambda *_: sys.exit('status_browser: it takes too long'))
    signal.alarm(LIMIT + (options.seconds if options.screenshot else 0))
    with Browser() as browser, Load(options.url):
        if options.screenshot:
            return take_picture(browser, options.url, options)
        return 1 if look(browser, options.url, options) else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (AssertionError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f'status_browser: {error}')
