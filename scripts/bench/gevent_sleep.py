#!/usr/bin/python3
"""An HTTP/1.1 server on gevent, for scripts/bench/sleep-test: green threads in Python. A request is whatever ends with
an empty line; its handler sleeps, and answers 13 bytes.

    scripts/bench/gevent_sleep.py PORT [MILLISECONDS]

It stands on StreamServer, a greenlet for each connection, and not on pywsgi, most of whose time goes into the parser,
the environment and the log of each request: what is compared is how handlers wait.
"""
import sys

import gevent
from gevent.server import StreamServer

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world\n'
PORT = int(sys.argv[1])
PAUSE = int(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.1


def serve(connection, _):
    request = b''
    try:
        while piece := connection.recv(4096):
            request += piece
            if request.endswith(b'\r\n\r\n'):
                request = b''
                gevent.sleep(PAUSE)
                connection.sendall(ANSWER)
    except OSError:
        pass


StreamServer(('127.0.0.1', PORT), serve, backlog=4096).serve_forever()
