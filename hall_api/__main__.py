"""`python -m hall_api`: the hall's commands without the rest of the house."""

from hall_api.cli import hall

hall(prog_name="bianmin hall")
