"""What a core install of affekt ships and depends on, as a CycloneDX bill of materials: `python scripts/sbom.py OUT`.

Read from the packages that are installed beside affekt, its extras left out. The same packages give the same bytes:
there is neither a time nor a serial number in it.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from affekt.files import atomic_file, sha256
from affekt.model_folder import MANIFEST, Manifest, read_manifest
from affekt.models import SHIPPED

PACKAGE = "affekt"
GRAPH = "onnx/model_quantized.onnx"
"""The file of the model folder that the model's own hash is of."""

_CLEAR = {"MIT License": "MIT", "3-Clause BSD License": "BSD-3-Clause"}
"""Names that stand for one SPDX licence; "BSD License", which many packages give, stands for several."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Package:
    """An installed package.

    Attributes:
        name: as package indexes compare it.
        found: its metadata.
        needs: names of the packages that it requires here, in order.
    """

    name: str
    found: Distribution
    needs: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its package URL, which other entries refer to it by."""
        return f"pkg:pypi/{self.name}@{quote(self.found.version, safe='')}"

    def component(self, kind: str = "library") -> Json:
        """Its entry in the bill."""
        return {
            "type": kind,
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.found.version,
            "licenses": licences(self.found),
            "purl": self.purl,
        }


def bill() -> Json:
    """The bill of materials.

    Raises:
        SystemExit: if a package that affekt requires is not installed.
    """
    own, *others = installed(PACKAGE)
    model = model_component(SHIPPED)
    dependencies = [
        {"ref": own.purl, "dependsOn": [model["bom-ref"], *_purls(own.needs, others)]},
        {"ref": model["bom-ref"], "dependsOn": []},
        *({"ref": package.purl, "dependsOn": _purls(package.needs, others)} for package in others),
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own.component("application")},
        "components": [model, *(package.component() for package in others)],
        "dependencies": dependencies,
    }


def _purls(names: Iterable[str], packages: Iterable[Package]) -> list[str]:
    known = {package.name: package.purl for package in packages}
    return [known[name] for name in names]


def installed(root: str) -> list[Package]:
    """The package called ``root``, and after it by name every other that it needs, directly or not.

    Raises:
        SystemExit: if one of them is not installed.
    """
    needs: dict[str, set[str]] = {}
    asked: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(root), "")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in asked:
            continue
        asked.add((name, extra))
        for requirement in _requirements(name, extra):
            other = canonicalize_name(requirement.name)
            needs.setdefault(name, set()).add(other)
            waiting += [(other, further) for further in ("", *sorted(requirement.extras))]
        needs.setdefault(name, set())
    packages = [Package(name, _distribution(name), tuple(sorted(needs[name]))) for name in sorted(needs)]
    return sorted(packages, key=lambda package: package.name != canonicalize_name(root))


def _requirements(name: str, extra: str) -> Iterator[Requirement]:
    """What a package requires on this machine with one of its extras, or without any ("")."""
    for line in _distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _distribution(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        sys.exit(f"'{name}' is required but not installed, so it cannot be listed. Install affekt first: make demo.")


def licences(found: Distribution) -> list[Json]:
    """A package's licence: an SPDX expression where its metadata says one, else the names that it gives."""

    def field(name: str) -> list[str]:
        return found.metadata.get_all(name) or []

    names = [line.rsplit(" :: ", 1)[-1] for line in field("Classifier") if line.startswith("License :: ")]
    title = "".join(field("License")).strip().partition("\n")[0]
    for given in (*field("License-Expression"), title, *(names if len(names) == 1 else ())):
        expression = _spdx(given)
        if expression is not None:
            return [{"expression": expression}]
    return [{"license": {"name": name}} for name in names or [title] if name]


def _spdx(text: str) -> str | None:
    try:
        return canonicalize_license_expression(_CLEAR.get(text, text)) if text else None
    except InvalidLicenseExpression:
        return None


def model_component(folder: Path) -> Json:
    """The entry of a model folder: its graph's hash, its licence and encoder, and every file with its hash."""
    manifest = read_manifest(folder)
    card = model_card(folder / "README.md")
    files = sorted([*manifest.files, MANIFEST])
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{manifest.name}@{manifest.version}",
        "name": manifest.name,
        "version": manifest.version,
        "hashes": _hashes(folder / GRAPH),
        "licenses": [{"expression": canonicalize_license_expression(card["license"])}],
        "pedigree": {"ancestors": [{"type": "machine-learning-model", "name": card["base_model"]}]},
        "modelCard": {"modelParameters": _parameters(manifest, card)},
        "components": [{"type": "file", "name": name, "hashes": _hashes(folder / name)} for name in files],
    }


def _parameters(manifest: Manifest, card: Json) -> Json:
    further = manifest.data.get("distillation", {}).get("made of")
    names = [*card["datasets"], *([further] if further else [])]
    return {"task": card["pipeline_tag"], "datasets": [{"type": "dataset", "name": name} for name in names]}


def _hashes(path: Path) -> list[Json]:
    return [{"alg": "SHA-256", "content": sha256(path)}]


def model_card(path: Path) -> Json:
    """The head of a model card; affekt writes each of its values as JSON."""
    head = path.read_text(encoding="utf-8").split("---\n")[1]
    pairs = (line.partition(": ") for line in head.splitlines())
    return {key: json.loads(value) for key, _, value in pairs}


def main(out: str) -> None:
    """Write the bill to a file, whose folder is made where it is missing."""
    with atomic_file(Path(out)) as temporary:
        temporary.write_text(json.dumps(bill(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the file to write: python scripts/sbom.py dist/sbom.json")
    main(sys.argv[1])
