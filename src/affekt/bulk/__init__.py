"""Files in, files out: every row of files of any size with its emotions, in shards that survive being killed."""

from importlib.util import find_spec

from affekt.errors import MissingExtraError

if find_spec("pyarrow") is None:
    raise MissingExtraError("Predicting whole files", "bulk")

from affekt.bulk.job import predict_files
from affekt.bulk.memory import spare_memory
from affekt.bulk.options import JobOptions
from affekt.bulk.scoring import Scorer
from affekt.bulk.summary import Summary

__all__ = ["JobOptions", "Scorer", "Summary", "predict_files", "spare_memory"]
