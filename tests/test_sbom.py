"""The bill of materials: complete, without extras, the same every time, and right about the model."""

import hashlib
import importlib.util
import json
import sys
from importlib.metadata import Distribution, version
from pathlib import Path

import pytest

from affekt.models import SHIPPED

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "sbom.py"


@pytest.fixture(scope="module")
def sbom():
    spec = importlib.util.spec_from_file_location("sbom", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["sbom"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["sbom"]


@pytest.fixture(scope="module")
def bill(sbom, tmp_path_factory):
    path = tmp_path_factory.mktemp("bill") / "dist" / "sbom.json"
    sbom.main(str(path))
    return json.loads(path.read_text(encoding="utf-8"))


class Installed(Distribution):
    """A package that is nothing but its metadata."""

    def __init__(self, *lines):
        self.lines = lines

    def read_text(self, filename):
        return "\n".join(self.lines) if filename == "METADATA" else None

    def locate_file(self, path):
        raise NotImplementedError


def packages(bill):
    return {part["name"]: part for part in bill["components"] if part["type"] == "library"}


def model(bill):
    (found,) = (part for part in bill["components"] if part["type"] == "machine-learning-model")
    return found


def test_it_is_cyclonedx_and_about_affekt(bill):
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    own = bill["metadata"]["component"]
    assert (own["name"], own["licenses"]) == ("affekt", [{"expression": "Apache-2.0"}])
    assert own["purl"] == own["bom-ref"] == f"pkg:pypi/affekt@{version('affekt')}"


def test_the_model_is_the_one_that_ships(bill):
    def digest(name):
        return [{"alg": "SHA-256", "content": hashlib.sha256((SHIPPED / name).read_bytes()).hexdigest()}]

    found = model(bill)
    assert (found["name"], found["licenses"]) == ("affekt-goemotions-minilm", [{"expression": "Apache-2.0"}])
    assert found["hashes"] == digest("onnx/model_quantized.onnx")
    files = {part["name"]: part["hashes"] for part in found["components"]}
    there = {path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*") if path.is_file()}
    assert files == {name: digest(name) for name in there}
    assert found["pedigree"]["ancestors"][0]["name"] == "sentence-transformers/all-MiniLM-L6-v2"


def test_the_core_is_listed_and_the_extras_are_not(bill):
    listed = packages(bill)
    assert {"numpy", "onnxruntime", "tokenizers", "emoji", "pydantic", "pydantic-core", "typer", "rich"} <= set(listed)
    assert not {"affekt", "torch", "transformers", "scikit-learn", "fastapi", "pytest"} & set(listed)
    assert list(listed) == sorted(listed)
    for name, part in listed.items():
        assert part["purl"] == part["bom-ref"] == f"pkg:pypi/{name}@{version(name)}"
        assert part["licenses"], name
    assert listed["pydantic"]["licenses"] == [{"expression": "MIT"}]


def test_every_reference_leads_somewhere(bill):
    known = {bill["metadata"]["component"]["bom-ref"], *(part["bom-ref"] for part in bill["components"])}
    needs = {entry["ref"]: entry["dependsOn"] for entry in bill["dependencies"]}
    assert set(needs) == known
    own = bill["metadata"]["component"]["bom-ref"]
    assert model(bill)["bom-ref"] in needs[own]
    assert {ref for refs in needs.values() for ref in refs} == known - {own}


def test_it_is_the_same_every_time(sbom, bill):
    assert sbom.bill() == bill
    assert not {"serialNumber", "timestamp"} & {*bill, *bill["metadata"]}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["License-Expression: mit OR apache-2.0", "License: other"], [{"expression": "MIT OR Apache-2.0"}]),
        (["License: MIT License"], [{"expression": "MIT"}]),
        (["Classifier: License :: OSI Approved :: MIT License"], [{"expression": "MIT"}]),
        (["Classifier: License :: OSI Approved :: BSD License"], [{"license": {"name": "BSD License"}}]),
        (
            ["Classifier: License :: OSI Approved :: MIT License", "Classifier: License :: Public Domain"],
            [{"license": {"name": "MIT License"}}, {"license": {"name": "Public Domain"}}],
        ),
        (["License: Ask the authors"], [{"license": {"name": "Ask the authors"}}]),
        ([], []),
    ],
)
def test_licences_are_expressions_where_they_are_clear(sbom, lines, expected):
    assert sbom.licences(Installed("Name: x", "Version: 1", *lines)) == expected


def test_extras_that_a_requirement_names_are_followed(sbom, monkeypatch):
    there = {
        "top": Installed(
            "Name: top", "Version: 1", "Requires-Dist: Some_Part[fast]>=1", "Requires-Dist: no; extra == 'x'"
        ),
        "some-part": Installed("Name: some-part", "Version: 2+cpu", "Requires-Dist: quick; extra == 'fast'"),
        "quick": Installed(
            "Name: quick", "Version: 3", "Requires-Dist: top", "Requires-Dist: no; python_version < '3'"
        ),
    }
    monkeypatch.setattr(sbom, "distribution", there.__getitem__)
    found = sbom.installed("top")
    assert [(package.name, package.needs) for package in found] == [
        ("top", ("some-part",)), ("quick", ("top",)), ("some-part", ("quick",)),
    ]  # fmt: skip
    assert found[2].purl == "pkg:pypi/some-part@2%2Bcpu"


def test_what_is_not_installed_is_named(sbom):
    with pytest.raises(SystemExit, match="'no-such-package-here' is required but not installed"):
        sbom.installed("no_such_package_here")
