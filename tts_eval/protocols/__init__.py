"""What an experiment is made of: the bases to extend, and the handles that a strategy is given."""

from tts_eval.protocols.delegated_task import DelegatedTask
from tts_eval.protocols.language_model import LanguageModel
from tts_eval.protocols.load import Load
from tts_eval.protocols.parts import Difficulty, Embedding
from tts_eval.protocols.setup import RoleSetup, Setup
from tts_eval.protocols.strategy import Strategy
from tts_eval.protocols.task import Task
from tts_eval.protocols.verifier import Recalled, StepScores, Verifier

__all__ = [
    "DelegatedTask",
    "Difficulty",
    "Embedding",
    "LanguageModel",
    "Load",
    "Recalled",
    "RoleSetup",
    "Setup",
    "StepScores",
    "Strategy",
    "Task",
    "Verifier",
]
