"""Requests and answers of the API, as pydantic models: what OpenAPI shows is what is checked."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 5.0 is an integer there, and some clients write it so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, Field(ge=1, le=1000), BeforeValidator(_whole)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Asking(_Strict):
    taxonomy: Name | None = Field(default=None, description="Label set of the answer; the model's own by default.")


class ClassifyRequest(_Asking):
    """Texts to classify: either ``texts`` or a single ``text``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"texts": ["I can't believe you did this for me!", "Well, that was a waste of an evening."]},
                {"text": "Thanks, but no.", "taxonomy": "ekman", "scores": True},
            ],
            "oneOf": [
                {"required": ["texts"], "properties": {"texts": {"type": "array"}, "text": {"type": "null"}}},
                {"required": ["text"], "properties": {"text": {"type": "string"}, "texts": {"type": "null"}}},
            ],
        }
    )

    texts: list[str] | None = Field(default=None, min_length=1, description="The texts, in English.")
    text: str | None = Field(default=None, description="A single text.")
    thresholds: Probability | dict[Name, Probability] | None = Field(
        default=None,
        description="In place of the model's own: one for all labels, or some by name. Not together with `top_k`.",
    )
    top_k: Count | None = Field(
        default=None, description="Decide for this many labels of highest score instead of by threshold."
    )
    scores: bool = Field(default=False, description="Give every label's score, not only those of the emotions found.")
    explain: bool = Field(default=False, description="Say which words moved each emotion (few, short texts only).")
    truncate: bool = Field(default=False, description="Read only the beginning of a long text, not all in windows.")

    @model_validator(mode="after")
    def _one_of_two(self) -> "ClassifyRequest":
        if (self.texts is None) == (self.text is None):
            raise ValueError("Give either 'texts' or 'text'")
        if self.top_k is not None and self.thresholds is not None:
            raise ValueError("'top_k' decides in place of 'thresholds'; give one of the two")
        return self


class Emotion(_Strict):
    """An emotion that was found."""

    label: str
    score: Probability = Field(description="Calibrated probability.")


class WordWeight(_Strict):
    """What one word did to one emotion."""

    text: str
    start: int = Field(description="First character in the text as sent, counted in code points.")
    end: int = Field(description="One past the last character.")
    weight: float = Field(description="Log-odds that the word added; negative if it spoke against the emotion.")


class EmotionExplanation(_Strict):
    """One emotion, word by word."""

    emotion: str
    score: Probability
    threshold: Probability
    baseline: Probability = Field(description="The score when no word is there; the weights lead from here to `score`.")
    words: list[WordWeight]


class Explanation(_Strict):
    """Which words moved which emotion of a text."""

    method: Literal["occlusion"]
    decided: bool = Field(description="False if no emotion was found and the nearest one is shown instead.")
    emotions: list[EmotionExplanation]


class Result(_Strict):
    """The answer for one text."""

    emotions: list[Emotion] = Field(description="The emotions found, highest score first; may be empty.")
    windowed: bool = Field(description="Whether the text was longer than the model reads at once.")
    scores: dict[str, Probability] | None = Field(default=None, description="Every label's score, if asked for.")
    explanation: Explanation | None = Field(default=None, description="If asked for.")


class ModelName(_Strict):
    """Which model answered."""

    name: str
    version: str


class ClassifyResponse(_Strict):
    """Answers in the order of the texts."""

    model: ModelName
    taxonomy: str
    thresholds: dict[str, Probability] | None = Field(description="Those used; null where `top_k` decided.")
    results: list[Result]
    milliseconds: float = Field(description="Time on the server, waiting included.")


class ExplainRequest(_Asking):
    """A text whose emotions are to be explained."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "Not exactly thrilled, but lovely food.", "emotions": ["joy"]}]}
    )

    text: str
    emotions: list[Name] | None = Field(
        default=None, min_length=1, max_length=64, description="By default those found, or the nearest if none is."
    )


class ExplainResponse(_Strict):
    """Which words moved which emotion."""

    model: ModelName
    taxonomy: str
    explanation: Explanation
    milliseconds: float


class PredictParameters(BaseModel):
    """Options in the form of Hugging Face inference endpoints; unknown ones are ignored, as there."""

    model_config = ConfigDict(strict=True, frozen=True)

    top_k: Count | None = None
    function_to_apply: Literal["sigmoid", "none"] | None = Field(
        default=None, description="`none` gives logits; `softmax` makes no sense for several labels at once."
    )


class PredictRequest(BaseModel):
    """The request of text-embeddings-inference's and Hugging Face inference endpoints' clients."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        json_schema_extra={"examples": [{"inputs": "I like you."}, {"inputs": [["I like you."], ["I hate that."]]}]},
    )

    inputs: str | list[str] | list[Annotated[list[str], Field(min_length=1, max_length=1)]] = Field(
        description="A text, or a list of texts, each bare or in a list of its own."
    )
    raw_scores: bool = Field(default=False, description="Logits instead of scores.")
    truncate: bool = Field(default=False, description="Read only the beginning of a long text.")
    parameters: PredictParameters | None = Field(
        default=None, description="If given, even empty, a single text is answered as a list of one, as hosted."
    )

    @property
    def texts(self) -> list[str]:
        """The texts, whatever form they came in."""
        if isinstance(self.inputs, str):
            return [self.inputs]
        return [entry if isinstance(entry, str) else entry[0] for entry in self.inputs]


class LabelScore(_Strict):
    """A label and its score (or logit)."""

    label: str
    score: float


class LabelSet(_Strict):
    """A label set that the model can answer with."""

    labels: list[str]
    thresholds: dict[str, Probability]


class ModelResponse(_Strict):
    """The model and the limits of this server."""

    name: str
    version: str
    taxonomy: str = Field(description="The model's own label set.")
    label_sets: dict[str, LabelSet]
    max_tokens: int = Field(description="Longest text that is read at once; longer ones are read in windows.")
    backend: str
    metrics: dict[str, Any] = Field(description="Figures measured when the model was made.")
    card: str = Field(description="The model card, in Markdown.")
    limits: dict[str, float]
    affekt: str = Field(description="Version of the software.")


class ErrorDetail(_Strict):
    """What was wrong."""

    code: str = Field(description="A stable word for programs.")
    message: str = Field(description="One sentence for people.")
    field: str | None = Field(description="The part of the request that is wrong, e.g. `texts.3`.")


class ErrorResponse(_Strict):
    """The body of every error."""

    error: ErrorDetail


class Health(_Strict):
    """A state."""

    status: str
