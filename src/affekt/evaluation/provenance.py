"""What a model folder says about a table: whether the model learned from it, or its decisions were fitted on it."""

import json
from typing import NamedTuple

from affekt.data.dataset import Dataset
from affekt.decision import Calibration
from affekt.model_folder import Manifest, RuleRecord

LEARNED = "The model learned from these texts: every figure flatters."
CHOSEN = (
    "The model folder lists these texts as its dev set: no decision was fitted on them, but its maker may have chosen "
    "the model by them. Expect a little less on others."
)
FOLDED = "The calibration of this model is folded into its weights: its raw scores are calibrated scores already."


class Provenance(NamedTuple):
    """What is known about a model and a table.

    Attributes:
        rule_saw_texts: whether the saved decision rule was fitted on the table, as far as the folder tells.
        notes: what a reader of figures should know, one sentence each.
    """

    rule_saw_texts: bool
    notes: tuple[str, ...]


def provenance(manifest: Manifest, label_set: str, dataset: Dataset) -> Provenance:
    """What a model's folder says about a table, recognised by its fingerprint.

    A rule's record says in words what it was fitted on. It saw the table if it gives its fingerprint, or if the folder
    lists the table and the record names that part of the data or says nothing; so a rule from out-of-fold logits of the
    training texts has not seen the dev set. Whoever learned from a table has seen it whatever the record says.

    Args:
        manifest: of the model folder.
        label_set: the one that is measured.
        dataset: the table.
    """
    record = manifest.rules.get(label_set)
    fingerprint = dataset.fingerprint()
    role = next((name for name, facts in manifest.data.items() if fingerprint in json.dumps(facts)), None)
    learned = role is not None and role != "dev"
    saw = learned or (record is not None and fingerprint in record.fitted_on)
    if role is not None and not saw:
        saw = record is None or not record.fitted_on or _names(record, role, manifest.data[role])
    notes = []
    if learned:
        notes.append(LEARNED)
    elif role is not None and not saw:
        notes.append(CHOSEN)
    if record is not None and record.fitted_on and _is_identity(record.rule.calibration):
        notes.append(FOLDED)
    return Provenance(saw, tuple(notes))


def _names(record: RuleRecord, role: str, facts: object) -> bool:
    """Whether a record speaks of a part of the data, by its name or its role."""
    named = facts.get("name") if isinstance(facts, dict) else None
    words = record.fitted_on.replace("'", " ").replace(",", " ").split()
    return role in words or (bool(named) and f"'{named}'" in record.fitted_on)


def _is_identity(calibration: Calibration) -> bool:
    return calibration == Calibration.identity(len(calibration.slope))
