"""The options of the commands that train, or look at what training would do."""

from pathlib import Path
from typing import Annotated

import typer

RUN, RECIPE, TEACHERS = "How to run", "What to train", "Who teaches"
POOL = "Texts that only the teachers label"
LORA_RANK = 16

Data = Annotated[Path, typer.Option("--data", help="Labelled table: csv, tsv, jsonl or parquet, also .gz.")]
Encoder = Annotated[str, typer.Option("--encoder", help="Pretrained encoder: a Hub id or a local folder.")]
Dev = Annotated[
    Path | None,
    typer.Option("--dev", help="Labelled table to choose the best epoch and fit decisions on; split off by default."),
]
Also = Annotated[
    list[Path] | None,
    typer.Option("--also", help="A further table to learn from, for the labels in common; several times for several."),
]
AlsoWeight = Annotated[float, typer.Option("--also-weight", min=0.0, help="Of each of its texts.")]
DevShare = Annotated[
    float, typer.Option("--dev-share", min=0.0, max=0.9, help="Without --dev: share split off, stratified.")
]

RecipeName = Annotated[
    str, typer.Option("--recipe", help="fast, best, reference, or a JSON file of settings.", rich_help_panel=RECIPE)
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="One setting of the recipe, as in --set lr=1e-5.", rich_help_panel=RECIPE),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Of everything random.", rich_help_panel=RECIPE)]
Lora = Annotated[
    bool,
    typer.Option("--lora", help=f"Train adapters of rank {LORA_RANK}, merged when saved.", rich_help_panel=RECIPE),
]

Teacher = Annotated[
    list[str],
    typer.Option(
        "--teacher",
        help="Encoder of a teacher, or ENCODER:RECIPE for a recipe of its own; several times for several.",
        rich_help_panel=TEACHERS,
    ),
]
TeacherRecipe = Annotated[str, typer.Option("--teacher-recipe", help="The teachers'.", rich_help_panel=TEACHERS)]
TeacherSettings = Annotated[
    list[str] | None, typer.Option("--teacher-set", help="One of the teachers' settings.", rich_help_panel=TEACHERS)
]
Folds = Annotated[int, typer.Option("--folds", min=2, help="Parts of the training texts.", rich_help_panel=TEACHERS)]
Derived = Annotated[
    float,
    typer.Option(
        "--derive",
        min=0.0,
        help="So many texts per training text, cut, joined and misspelt from the training texts.",
        rich_help_panel=POOL,
    ),
]
MoreTexts = Annotated[
    list[Path] | None,
    typer.Option("--texts", help="A table of texts, labels or not; several times for several.", rich_help_panel=POOL),
]

Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:1.", rich_help_panel=RUN)]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory", help="Budget such as 16GB: chooses micro-batch, checkpointing and optimizer.", rich_help_panel=RUN
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the last checkpoint, if there is one.", rich_help_panel=RUN)
]
AllowChanges = Annotated[
    bool, typer.Option("--allow-changes", help="Resume though data, recipe or code changed.", rich_help_panel=RUN)
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Begin anew and replace the model that is there.", rich_help_panel=RUN)
]
EverySteps = Annotated[
    int, typer.Option("--checkpoint-steps", min=0, help="Steps between checkpoints in an epoch.", rich_help_panel=RUN)
]
EveryMinutes = Annotated[
    float, typer.Option("--checkpoint-minutes", min=0, help="Minutes between checkpoints.", rich_help_panel=RUN)
]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Write curves to OUT.run/tensorboard.", rich_help_panel=RUN)
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.", rich_help_panel=RUN)]
