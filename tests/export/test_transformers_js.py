"""An exported folder in transformers.js: it loads as it is, and gives affekt's own scores on clean texts."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import affekt

SCRIPT = """
const { AutoTokenizer, AutoModelForSequenceClassification, env } = require('@huggingface/transformers');
const [folder, dtype, texts] = [process.argv[1], process.argv[2], JSON.parse(process.argv[3])];
env.allowRemoteModels = false;
env.localModelPath = require('path').dirname(folder) + '/';
(async () => {
  const name = require('path').basename(folder);
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const model = await AutoModelForSequenceClassification.from_pretrained(name, { dtype });
  const { logits } = await model(tokenizer(texts, { padding: true, truncation: true }));
  console.log(JSON.stringify(logits.tolist()));
})();
"""
TEXTS = ["i love this, thank you!", "what a terrible day", "so very sad and angry", "a"]


@pytest.fixture(scope="module")
def node() -> str:
    """Node, if it finds transformers.js (``NODE_PATH`` says where that is)."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node is not installed")
    probe = subprocess.run(
        [found, "-e", "require.resolve('@huggingface/transformers')"], capture_output=True, check=False, cwd=Path.cwd()
    )
    if probe.returncode:
        pytest.skip("Node has no @huggingface/transformers (npm install it, and set NODE_PATH to node_modules)")
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "backend"), [("fp32", "onnx-float32"), ("q8", "onnx-int8")])
def test_transformers_js_gives_the_same_scores(node: str, tiny_model: Path, dtype: str, backend: str) -> None:
    done = subprocess.run(
        [node, "-e", SCRIPT, str(tiny_model), dtype, json.dumps(TEXTS)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    found = np.array(json.loads(done.stdout.strip().splitlines()[-1]), dtype=np.float32)
    expected = affekt.load(tiny_model, backend=backend).logits(TEXTS)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
