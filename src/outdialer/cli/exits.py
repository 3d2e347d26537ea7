"""How the program ends: exit codes, and the one exception that carries one."""

import click

DONE = 0
LEDGERS_DIFFER = 1
USAGE = 2
TRUNK = 3
STORE = 4
DRAINED = 5
SERVER = 6

MEANINGS: dict[int, str] = {
    DONE: "done",
    LEDGERS_DIFFER: "the books and the network's log differ",
    USAGE: "wrong usage, or the list was refused",
    TRUNK: "the trunk is unreachable, or refuses every call",
    STORE: "the store cannot be opened or written",
    DRAINED: "stopped before the end; the same command goes on",
    SERVER: "the server cannot be reached",
}
"""Every exit code with its meaning."""


def plain(text: str) -> str:
    """A text of somebody else as a terminal may show it: what would move its cursor or hide text is spelled out."""
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)


class Stop(click.ClickException):
    """Ends the program with a message and one of the exit codes above."""

    exit_code: int = USAGE  # type: ignore[misc]

    def __init__(self, message: str, exit_code: int = USAGE) -> None:
        super().__init__(plain(message))
        self.exit_code = exit_code
