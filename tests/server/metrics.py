#!/usr/bin/env python3
"""metrics.py FILE: reads Prometheus' text format, 0.0.4, as its own tools would, and prints each sample: SERIES VALUE.

What they would refuse, or warn of, is told on stderr, with its line, and the exit status is 1: lines that are none, a
family in two places, samples without HELP and TYPE before them, a series that stands twice, names that do not fit their
type, buckets that are not cumulated or do not end in +Inf, a count that is another than the last bucket's.
"""
import re
import sys

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf'({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([0-9]+(?:\.[0-9]+)?)')
COMMENT = re.compile(rf'# (HELP|TYPE) ({NAME}) (.+)')
SUFFIXES = {'histogram': ('_bucket', '_sum', '_count'), 'counter': ('',), 'gauge': ('',)}


class Reader:
    def __init__(self):
        self.failed = False
        self.families = {}     # by name: type
        self.family = None     # the present one
        self.helped = None
        self.series = {}
        self.histograms = {}   # by family and labels: the parts

    def complain(self, number, text):
        self.failed = True
        print(f'{number}: {text}', file=sys.stderr)

    def comment(self, number, kind, name, text):
        if kind == 'HELP':
            if name in self.families:
                self.complain(number, f'{name} has two places')
            self.helped = name
            return
        if self.helped != name or text not in SUFFIXES:
            self.complain(number, f'TYPE {name} {text} without its HELP, or of no type')
        if (text == 'counter') != name.endswith('_total'):
            self.complain(number, f'{name} is a {text}')
        self.families[name] = text
        self.family = name

    def sample(self, number, match):
        name, labels = match[1], re.findall(LABEL, match[2] or '')
        kind = self.families.get(self.family)
        suffix = name[len(self.family or ''):]
        if not kind or not name.startswith(self.family) or suffix not in SUFFIXES[kind]:
            self.complain(number, f'{name} is not of the family {self.family}')
            return
        if len({key for key, _ in labels}) != len(labels):
            self.complain(number, 'a label stands twice')
        key = name, frozenset(labels)
        if key in self.series:
            self.complain(number, f'{match[0]}: the series was there before')
        self.series[key] = match[0]
        if kind == 'histogram':
            self.part(number, suffix, labels, float(match[match.lastindex]))

    def part(self, number, suffix, labels, value):
        others = frozenset(label for label in labels if label[0] != 'le')
        parts = self.histograms.setdefault((self.family, others), {'_bucket': [], 'at': number})
        if suffix != '_bucket':
            parts[suffix] = value
            return
        bound = float(dict(labels)['le'])
        if parts['_bucket'] and (bound <= parts['_bucket'][-1][0] or value < parts['_bucket'][-1][1]):
            self.complain(number, 'buckets do not grow')
        parts['_bucket'].append((bound, value))

    def finish(self):
        for (family, labels), parts in self.histograms.items():
            last = parts['_bucket'][-1] if parts['_bucket'] else None
            if last is None or last[0] != float('inf') or parts.get('_count') != last[1] or '_sum' not in parts:
                self.complain(parts['at'], f'{family} {sorted(labels)} is no whole histogram')

    def read(self, text):
        if not text.endswith('\n'):
            self.complain(0, 'no line feed at the end')
        for number, line in enumerate(text[:-1].split('\n'), 1):
            comment, sample = COMMENT.fullmatch(line), SAMPLE.fullmatch(line)
            if comment:
                self.comment(number, *comment.groups())
            elif sample:
                self.sample(number, sample)
            else:
                self.complain(number, f'no line of the format: {line}')
        self.finish()


reader = Reader()
with open(sys.argv[1], encoding='utf-8', newline='') as file:
    reader.read(file.read())
print('\n'.join(reader.series.values()))
sys.exit(reader.failed)
