"""``tonearm schema``."""

import json

from core_toys import tonearm
from jsonschema import Draft202012Validator


def test_the_output_is_a_valid_json_schema():
    done = tonearm("schema")
    assert (done.returncode, done.stderr) == (0, "")
    Draft202012Validator.check_schema(json.loads(done.stdout))


def test_third_parties_are_included(acme):
    done = tonearm("schema", env=acme)
    assert done.returncode == 0
    schema = json.loads(done.stdout)
    names = schema["properties"]["input"]["properties"]["use"]["else"]["enum"]
    assert {"acme-reader", "acme/npy-reader", "npy-reader"} <= set(names)
    assert "lost" not in names
    assert '"odd"' not in done.stdout
