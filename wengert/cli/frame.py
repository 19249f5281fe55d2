"""The door frame: what every subcommand shares, above all the meaning of the exit codes.

0 done    1 failure    2 usage or bad input    3 gate failed    4 diverged    130 interrupted
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import DivergedError, WengertError

FAILURE, BAD_INPUT, GATE_FAILED, DIVERGED, INTERRUPTED = 1, 2, 3, 4, 130


def exit_code(error: BaseException) -> int:
    """The exit code an error raised on purpose, or by the operating system, stands for.

    What can be mended by another argument, table or file is bad input; those errors are all ValueErrors.

    >>> from wengert.errors import DataError
    >>> exit_code(DataError("epochs=0 was given")), exit_code(DivergedError("the loss is nan"))
    (2, 4)
    """
    if isinstance(error, DivergedError):
        return DIVERGED
    return BAD_INPUT if isinstance(error, WengertError) and isinstance(error, ValueError) else FAILURE


class Frame(click.Group):
    """A group of commands whose errors end as one sentence and an exit code, never as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except (WengertError, OSError) as error:
            if isinstance(error, BrokenPipeError):  # the reader has gone: click leaves quietly
                raise
            say(f"wengert: {error}")
            ctx.exit(exit_code(error))
        except KeyboardInterrupt:
            say("wengert: interrupted; nothing was saved.")
            ctx.exit(INTERRUPTED)


@click.group(cls=Frame, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="wengert", message="%(prog)s %(version)s")
def frame() -> None:
    """Neural networks that show every number they computed."""


def say(sentence: str) -> None:
    """Print a line for the person, not for the next program: to stderr."""
    click.echo(sentence, err=True)


def write_out(text: str, out: Path | None) -> None:
    """Write a whole text to a file, or to stdout where no file is named."""
    if out is None:
        click.echo(text.rstrip("\n"))
        return
    from ..serialization import write_whole

    write_whole(out, (text.rstrip("\n") + "\n").encode())
