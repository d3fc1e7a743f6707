"""The command line: `bianmin demo`, `run`, `hall`, `device`, `test`, `bench`.

Each sub-command lives in the room that knows it and is imported only when it is called, so that looking at a device
on a small machine loads neither the web server nor the kiosk's window.
"""

from __future__ import annotations

import importlib
import importlib.util
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = {
    "demo": ("kiosk.demo:demo", "A whole hall on this machine, each device simulated on its own wire."),
    "run": ("kiosk.run:run", "What this machine is, as its hall.toml says; nothing is simulated."),
    "technician": ("kiosk.technician:technician", "Set the technician's code and password on this machine."),
    "hall": ("hall_api.cli:hall", "The hall's own door: serve it, make tokens and passwords."),
    "device": ("devices.cli:device", "Look at, try and simulate devices on their cables."),
    "vision": ("devices.vision.cli:vision", "Pages, codes and text in pictures, as the document camera finds them."),
    "test": ("kiosk.check:test", "Check everything: style, types, floors, and the whole test suite."),
}


class Missing(click.ClickException):
    """A sub-command whose part of the product is not on this machine."""


class Lazy(click.Group):
    """A group that knows its sub-commands' names and lines of help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order a newcomer needs them."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The sub-command, imported now; None when there is none of this name."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module_name, _, attribute = COMMANDS[cmd_name][0].partition(":")
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as gap:
            raise Missing(_gap(cmd_name, gap.name or module_name)) from gap
        command = getattr(module, attribute)
        assert isinstance(command, click.Command), f"{module_name}.{attribute} is not a command"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of sub-commands in `--help`, from our table, nothing imported."""
        rows = [(name, line) for name, (_, line) in COMMANDS.items()]
        rows += [(name, command.get_short_help_str()) for name, command in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _gap(command: str, module: str) -> str:
    """Which sentence to say when a module is missing: a part of ours, or a Python package."""
    ours = (ROOT / module.partition(".")[0]).is_dir()
    if ours:
        return f"`bianmin {command}` is not part of this version (there is no {module})."
    return (
        f"`bianmin {command}` needs the Python package {module}, which is not installed here: "
        "start through ./bianmin, which installs it."
    )


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option("0.1.0", prog_name="bianmin", message="%(prog)s %(version)s")
def bianmin() -> None:
    """Bianmin (便民) runs a government service hall: tickets, calling, windows, rating, kiosks, screens."""


@bianmin.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: Sequence[str]) -> None:
    """Measure speed beside the machine's own limits, in one run."""
    if not (ROOT / "benchmarks" / "__main__.py").is_file():
        raise Missing("`bianmin bench` is not part of this version (there is no benchmarks folder).")
    sys.argv = ["bianmin bench", *arguments]
    sys.path.insert(0, str(ROOT))  # benchmarks are a folder beside the packages, not one of them
    runpy.run_module("benchmarks", run_name="__main__", alter_sys=True)


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    bianmin(prog_name="bianmin")
    raise AssertionError("click leaves by itself")
