"""Rows as lines of JSON, so that parts of a long run outlive what fails later."""
import dataclasses
import json

from measure import Row
from targets import Target


def append(path, row):
    with path.open("a") as lines:
        lines.write(json.dumps(dataclasses.asdict(row)) + "\n")


def read(path):
    if not path.exists():
        return []
    return [_row(json.loads(line)) for line in path.read_text().splitlines()]


def _row(fields):
    target = fields.pop("target")
    return Row(target=Target(**target) if target else None, **fields)
