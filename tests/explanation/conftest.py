"""A model folder small enough to explain in milliseconds."""

from pathlib import Path

import pytest

from affekt.decision import Calibration, DecisionRule
from affekt.model_folder import Manifest, RuleRecord, write_model_folder
from affekt.taxonomy import GOEMOTIONS, TAXONOMIES

WORDS = "[PAD] [UNK] [CLS] [SEP] i am not very happy sad angry about it today ! . ##ly : face joy love hate you"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer BERT over GoEmotions' labels, with rules for its own set and for ekman."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import BertWordPieceTokenizer

    torch.manual_seed(7)
    config = transformers.BertConfig(
        vocab_size=len(WORDS.split()), hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, num_labels=28, problem_type="multi_label_classification", pad_token_id=0,
        id2label=dict(enumerate(GOEMOTIONS)), label2id={name: i for i, name in enumerate(GOEMOTIONS)},
        initializer_range=0.6,
    )  # fmt: skip
    model = transformers.BertForSequenceClassification(config).eval()

    def fill(folder: Path) -> None:
        model.save_pretrained(folder)
        words = {word: index for index, word in enumerate(WORDS.split())}
        BertWordPieceTokenizer(words, lowercase=True).save(str(folder / "tokenizer.json"))

    own = DecisionRule(Calibration((0.5,) * 28, (-0.2,) * 28), (0.5,) * 28)
    ekman = DecisionRule(Calibration((0.8,) * 7, (0.1,) * 7), (0.6,) * 7, "best")
    rules = {
        "goemotions": RuleRecord.of(GOEMOTIONS, own),
        "ekman": RuleRecord.of(TAXONOMIES["ekman"].labels, ekman),
    }
    manifest = Manifest(name="tiny", labels=GOEMOTIONS, taxonomy="goemotions", max_length=32, rules=rules)
    path = tmp_path_factory.mktemp("models") / "tiny"
    write_model_folder(path, manifest, fill)
    return path
