"""The sentences and snippets of a model card that do not depend on figures."""

INTENDED = """\
It is meant for finding emotions in many short English texts: comments, reviews, messages, tickets."""

DECISIONS = """\
A label is decided where its score reaches the label's own threshold; thresholds and calibration are in `affekt.json`.
Each label set has thresholds of its own."""

POLICIES = {"empty": "no label", "best": "best label", "neutral": "neutral"}

FOLDER = """\
A plain Hugging Face folder, and `affekt.json`: cleaning, length, calibration, thresholds, recipe, figures, and the
SHA-256 of every other file, which affekt checks when it loads the model."""

AFFEKT_USE = """\
With affekt (`pip install affekt`): cleaning, long texts, calibrated scores and tuned thresholds included.

```python
import affekt

classifier = affekt.load("{path}")
prediction = classifier.predict("I can't believe you did this for me, thank you!")[0]
print(prediction.emotions)  # the decided labels, highest score first
print(prediction.scores)    # every label's score
```"""

TRANSFORMERS_USE = """\
With the transformers pipeline:

```python
from transformers import pipeline

classifier = pipeline("text-classification", model="{path}", top_k=None)
print(classifier("I can't believe you did this for me, thank you!"))
```

Or by hand:

```python
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{path}")
model = AutoModelForSequenceClassification.from_pretrained("{path}").eval()
inputs = tokenizer(
    ["I can't believe you did this for me, thank you!"],
    truncation=True, max_length={max_length}, padding=True, return_tensors="pt",
)
with torch.no_grad():
    scores = torch.sigmoid(model(**inputs).logits)
for label, score in zip(model.config.id2label.values(), scores[0].tolist()):
    print(label, round(score, 3))
```"""

SAME_SCORES = """\
On clean text all three give the same scores."""

OWN_THRESHOLDS = """\
Do not decide at 0.5: most labels are rare, and each has its own best threshold, listed below and in `affekt.json` under
`rules`."""

ONE_THRESHOLD = """\
Thresholds were set, not fitted: most labels are rare, and on labelled texts `affekt evaluate` shows what fitted ones
would give."""

CALIBRATED = """\
affekt's scores are calibrated: `sigmoid(slope * logit + intercept)` with each label's slope and intercept from
`affekt.json`, under `rules`; the two snippets without affekt give the raw `sigmoid(logit)`. Thresholds belong to the
calibrated scores."""

LIMITS = """\
- A label is what annotators read into a text, not what its writer felt. People disagree about emotions, and so do the
  labels: read the intervals and the figures of each label before relying on it. Rare labels are the least certain.
- Scores are meant for many texts in sum. One text's answer can be plainly wrong: irony, quotation, negation, names, and
  feelings that are only implied are hard.
- English only. Texts longer than {max_length} tokens are cut by the snippets without affekt, and read in overlapping
  windows by affekt.
- Not for diagnosing health or risk, not for judging persons (hiring, schooling, policing, credit, moderation without a
  human who decides), and not for inferring the feelings of someone who has not agreed to it.
- Words about groups of people can move scores for no good reason. Measure it on your own texts (`affekt behave`)."""

GOEMOTIONS_LIMITS = """\
- Labels are those of GoEmotions: Reddit comments from 2005 to January 2019, in English, rated by English speakers in
  India. Reddit's writers are younger and more often male and American than people at large, and its language is its
  own: other sources and later slang will do worse than the figures here."""
