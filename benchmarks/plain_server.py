"""What people usually write: FastAPI around a transformers pipeline. It stands beside affekt's server in the benchmark.

``python benchmarks/plain_server.py MODEL_FOLDER PORT``
"""

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline


class Question(BaseModel):
    """A text."""

    text: str


def make(folder: str) -> FastAPI:
    """The server: one request, one text, one run of the model."""
    classify = pipeline("text-classification", model=folder, top_k=None, function_to_apply="sigmoid")
    classify("warm")
    app = FastAPI()

    @app.post("/v1/classify")
    def answer(question: Question) -> Any:
        return classify(question.text, truncation=True)

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    return app


if __name__ == "__main__":
    uvicorn.run(make(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
