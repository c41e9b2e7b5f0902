"""Behaviour: does a model do what anybody would expect of it, case by case, and does it treat people alike?"""

from affekt.evaluation.behaviour.fairness import Fairness, run_fairness
from affekt.evaluation.behaviour.fairness_suite import FairnessSuite, read_fairness_suite
from affekt.evaluation.behaviour.run import Behaviour, run_suites
from affekt.evaluation.behaviour.subject import Subject
from affekt.evaluation.behaviour.suite import Suite, read_suite

__all__ = [
    "Behaviour",
    "Fairness",
    "FairnessSuite",
    "Subject",
    "Suite",
    "read_fairness_suite",
    "read_suite",
    "run_fairness",
    "run_suites",
]
