"""`python -m kiosk`: what `./bianmin` starts once the machine is set up."""

from kiosk.cli import main

main()
