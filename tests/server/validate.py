#!/usr/bin/env python3
"""validate.py SCHEMA DIRECTORY: what an editor says of each YAML file there, a line for each, by the order of names.

    NAME: fine
    NAME: PLACE: what is wrong

Files are read as YAML 1.2, as editors read them: PyYAML's own rules are those of 1.1, where `on` is a boolean. Exits
with 77 when the packages it needs are not installed.
"""

import json
import pathlib
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(missing)
    sys.exit(77)


class Core(yaml.SafeLoader):
    """The core schema of YAML 1.2 (10.3.2)."""

    yaml_implicit_resolvers = {}


for tag, pattern in {
    "null": r"(?:~|null|Null|NULL|)$",
    "bool": r"(?:true|True|TRUE|false|False|FALSE)$",
    "int": r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$",
    "float": r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
}.items():
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), None)


def with_names(node):
    """Keys are names, whatever they look like, as in JSON."""
    if isinstance(node, dict):
        return {str(key): with_names(value) for key, value in node.items()}
    return [with_names(item) for item in node] if isinstance(node, list) else node


def complaint(validator, path):
    try:
        document = with_names(yaml.load(path.read_text(), Core))
    except yaml.YAMLError as error:
        return "not YAML: " + " ".join(str(error).split())
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    return f"{error.json_path}: {error.message}" if error else "fine"


def main(schema_path, directory):
    schema = json.loads(pathlib.Path(schema_path).read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for path in sorted(pathlib.Path(directory).glob("*.yaml")):
        print(f"{path.name}: {complaint(validator, path)}")


main(*sys.argv[1:])
