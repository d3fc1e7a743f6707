"""`bianmin vision`: what the document camera's eye finds in picture files. Names and JSON shapes are a contract."""

from __future__ import annotations

import errno
import importlib
import pkgutil
from typing import Any, cast

import click

from devices.vision import commands


class Commands(click.Group):
    """The sub-commands are the files of `devices/vision/commands/` (but `answer`); being there is being registered."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in order of the alphabet."""
        return sorted(module.name for module in pkgutil.iter_modules(commands.__path__) if module.name != "answer")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The sub-command, imported now; None when there is none of this name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return cast(click.Command, importlib.import_module(f"{commands.__name__}.{cmd_name}").command)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the sub-command; that there is no room for its answer is said in a sentence."""
        try:
            return super().invoke(ctx)
        except OSError as trouble:
            if trouble.errno != errno.ENOSPC:
                raise
            raise click.ClickException(f"the answer cannot be written ({trouble.strerror}).") from trouble


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def vision() -> None:
    """Find pages, codes and text in pictures."""
