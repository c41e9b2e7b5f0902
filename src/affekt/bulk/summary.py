"""What a job did, for people and as JSON."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from affekt.bulk.progress import duration
from affekt.bulk.writing.records import ShardRecord


@dataclass(frozen=True)
class Summary:
    """What a job did, over all its runs unless said otherwise.

    Attributes:
        output: the file or folder.
        rows: rows read.
        written: rows in the output.
        filtered: rows that the filter left out.
        rejects: rows that were refused.
        kept: refused rows that are in the output all the same, without an answer.
        reasons: kind of reject -> rows.
        rejects_file: where they are listed; empty if there are none.
        label_rates: label -> share of the answered rows that have it.
        none_rate: share of the answered rows without any label.
        scored: texts that went through the model.
        saved: texts that did not, because an equal one had.
        neutralised: cells in which a formula was made harmless.
        shards: how many there are.
        reused: of these, how many earlier runs had committed.
        seconds: this run's seconds: in all, and spent per stage (the stages overlap).
        rows_per_second: rows read by this run, per second in all.
        texts_per_second: texts answered by this run, per second in all.
        model: what the answers came from.
    """

    output: str
    rows: int
    written: int
    filtered: int
    rejects: int
    kept: int
    reasons: dict[str, int]
    rejects_file: str
    label_rates: dict[str, float]
    none_rate: float
    scored: int
    saved: int
    neutralised: int
    shards: int
    reused: int
    seconds: dict[str, float]
    rows_per_second: float
    texts_per_second: float
    model: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def text(self) -> str:
        """A few lines for people."""
        answered = self.scored + self.saved
        stages = ", ".join(f"{name} {value:.1f}" for name, value in self.seconds.items() if name != "total")
        common = sorted(self.label_rates.items(), key=lambda item: -item[1])[:5]
        left_out = f"{self.filtered:,} filtered, {self.rejects:,} refused"
        lines = [
            f"{self.output}: {self.written:,} of {self.rows:,} rows ({left_out})",
            f"  {self.texts_per_second:,.0f} texts/s, {duration(self.seconds['total'])} (seconds by stage: {stages})",
            f"  {answered:,} texts answered, {self.saved:,} of them scored before ({_share(self.saved, answered)})",
            f"  labels: {', '.join(f'{label} {rate:.1%}' for label, rate in common)}; none {self.none_rate:.1%}",
            f"  model: {self.model.get('name', '')} {self.model.get('version', '')} ({self.model.get('backend', '')})",
        ]
        if self.rejects:
            kinds = ", ".join(f"{kind} {count:,}" for kind, count in self.reasons.items())
            lines.append(f"  refused: {kinds}; see {self.rejects_file}")
        if self.neutralised:
            lines.append(f"  {self.neutralised:,} cells began like a formula and got an apostrophe")
        if self.reused:
            lines.append(f"  {self.reused:,} of {self.shards:,} shards were there from before")
        return "\n".join(lines)


def summarise(
    records: Sequence[ShardRecord],
    *,
    reused: frozenset[int],
    seconds: Mapping[str, float],
    output: str,
    rejects_file: str,
    model: Mapping[str, Any],
) -> Summary:
    """The summary of a job.

    Args:
        records: of all shards.
        reused: those that were there before this run.
        seconds: of this run: ``total`` and stages that are not in the records.
        output: the file or folder.
        rejects_file: where rejects are listed.
        model: a scorer's identity.
    """
    fresh = [record for record in records if record.index not in reused]
    stages = Counter[str]()
    for record in fresh:
        stages.update(record.seconds)
    answered = sum(record.scored + record.saved for record in records)
    labels = _added(record.labels for record in records)
    rejects = sum(record.refused for record in records)
    total = max(seconds["total"], 1e-9)
    return Summary(
        output=output,
        rows=sum(record.read for record in records),
        written=sum(record.written for record in records),
        filtered=sum(record.filtered for record in records),
        rejects=rejects,
        kept=sum(record.kept for record in records),
        reasons=_added(record.reasons for record in records),
        rejects_file=rejects_file if rejects else "",
        label_rates={label: count / max(1, answered) for label, count in labels.items()},
        none_rate=sum(record.none for record in records) / max(1, answered),
        scored=sum(record.scored for record in records),
        saved=sum(record.saved for record in records),
        neutralised=sum(record.neutralised for record in records),
        shards=len(records),
        reused=len(reused),
        seconds={name: round(value, 3) for name, value in ({**stages, **seconds}).items()},
        rows_per_second=round(sum(record.read for record in fresh) / total, 1),
        texts_per_second=round(sum(record.scored + record.saved for record in fresh) / total, 1),
        model=dict(model),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total = Counter[str]()
    for count in counts:
        total.update(count)
    return dict(total)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"
