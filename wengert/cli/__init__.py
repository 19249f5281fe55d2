"""The front door: the `wengert` command, one file per subcommand.

Whatever takes time to import (matplotlib, networks, training) is imported by the command that needs it, so
that `wengert --help` answers at once.
"""

from .frame import Frame, frame

__all__ = ["commands", "main"]


def main() -> None:
    """Run the command line on the program's arguments and leave with its exit code."""
    commands()(prog_name="wengert")


def commands() -> Frame:
    """The group with all its subcommands."""
    from .apply import apply
    from .compress import compress, expand
    from .explain import explain
    from .predict import predict
    from .train import train

    for command in (train, predict, explain, apply, compress, expand):
        frame.add_command(command)
    return frame
