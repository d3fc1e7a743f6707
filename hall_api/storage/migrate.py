"""Makes the hall's tables, or brings them up to date: `python -m hall_api.storage.migrate URL`.

A process of its own, so that what it loads does not stay in the hall's memory. Two of them at once take turns.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from hall_api.storage.store import engine_for


def config_for(url: str) -> Config:
    """Alembic's settings for a hall's address; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    return config


def main(url: str) -> None:
    """Up to the newest version; nothing happens when the tables are there already."""
    engine = engine_for(url)
    with engine.turn():
        command.upgrade(config_for(url), "head")
    engine.close()


if __name__ == "__main__":
    os.umask(0o077)  # the links of all tickets stand in the file: nobody else on this machine shall read it
    main(sys.argv[1])
