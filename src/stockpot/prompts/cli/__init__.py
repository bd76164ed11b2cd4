"""`stockpot prompts`: the verbs of prompts as commands. Knows the API's paths."""

from stockpot.prompts.cli.code import code_commands
from stockpot.prompts.cli.labels import label_commands
from stockpot.prompts.cli.root import prompts

label_commands(prompts)
code_commands(prompts)

__all__ = ["prompts"]
