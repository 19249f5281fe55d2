"""The archive: a run folder holds a trained network with everything needed to use it again, or nothing at all.

    parameters.safetensors    the network's parameters, and the mean and deviation of its features
    settings.json             layout, schema of the data, recipe, seed, results, versions
    metrics.jsonl             one line per epoch
    *.png                     pictures

A run is put together in a hidden folder beside its place and renamed when whole.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, FileFormatError, WengertError
from ..nn import Sequential
from ..serialization import load, save, write_whole
from ..train.recipes import Layout, network
from ..train.tables import Schema

PARAMETERS, SETTINGS, METRICS = "parameters.safetensors", "settings.json", "metrics.jsonl"
FORMAT = 1


class Run(NamedTuple):
    """A run folder read back: the network in evaluation mode, how to read data for it, and all settings."""

    model: Sequential
    schema: Schema
    settings: dict[str, Any]


class Draft:
    """A run in the making: `folder` takes its files; `finish` gives it its place.

    Attributes:
        folder: exists, is empty, and is removed unless finished.
    """

    def __init__(self, name: str, out: Path | None) -> None:
        self._name, self._out = name, out
        self._parent = Path("runs") if out is None else out.parent
        self.folder = self._made()

    def _made(self) -> Path:
        out = self._out
        if out is not None and out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise ArgumentError(f"--out {out}: it exists already; name a new folder.")
        try:
            self._parent.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix=f".{self._name}-", dir=self._parent))
        except OSError as error:
            reason = error.strerror or "unknown reason"
            raise ArgumentError(
                f"a run folder cannot be made in {self._parent} ({reason}); name another place with --out."
            ) from None

    def finish(self) -> Path:
        """Rename the folder to the place asked for, or to the first free number, and return that place."""
        mask = os.umask(0o022)
        os.umask(mask)
        self.folder.chmod(0o777 & ~mask)  # temporary folders are closed to others
        for place in self._places():
            if place.exists() and self._out is None:
                continue
            try:
                self.folder.rename(place)
            except OSError:
                if self._out is not None or not place.exists():
                    raise
            else:
                return place
        raise AssertionError("numbers ran out")

    def _places(self) -> Iterator[Path]:
        if self._out is not None:
            return iter([self._out])
        return (self._parent / f"{self._name}-{number}" for number in itertools.count(1))

    def discard(self) -> None:
        """Remove what there is, and the folder `runs` where this left it empty."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._out is None:
            with contextlib.suppress(OSError):
                self._parent.rmdir()


@contextlib.contextmanager
def draft(name: str, out: Path | None) -> Iterator[Draft]:
    """A `Draft` that is discarded unless the block finishes it.

    Args:
        name: of the job; without `out` the place is runs/NAME-1, or the next free number.
        out: the place asked for, a folder that does not exist yet or is empty.

    Raises:
        ArgumentError: there is something at the place already, or its folder cannot be written to.
    """
    made = Draft(name, out)
    try:
        yield made
    finally:
        if made.folder.exists():
            made.discard()


def save_run(folder: Path, model: Sequential, settings: dict[str, Any], metrics: list[dict[str, Any]]) -> None:
    """Write parameters, settings and metrics into a folder.

    Args:
        folder: of a `Draft`.
        settings: must hold "layout" (`Layout.to_dict`) and "schema" (`Schema.to_json`, parsed).
        metrics: one mapping per epoch.
    """
    save(model, folder / PARAMETERS)
    text = json.dumps({"format": FORMAT, **settings}, indent=1, allow_nan=False, ensure_ascii=False)
    write_whole(folder / SETTINGS, f"{text}\n".encode())
    lines = "".join(json.dumps(epoch, allow_nan=False) + "\n" for epoch in metrics)
    write_whole(folder / METRICS, lines.encode())


def load_run(folder: str | Path) -> Run:
    """Read a run folder back.

    Raises:
        FileFormatError: the folder or one of its files is missing, truncated or damaged, or they do not belong
            together.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileFormatError(f"{folder} is no run folder; give the folder that 'wengert train' named at its end.")
    settings = _read_settings(folder / SETTINGS)
    try:
        layout = Layout.from_dict(settings["layout"])
        schema = Schema.from_json(json.dumps(settings["schema"]))
        units = np.ones(layout.inputs, np.float32)
        model = network(layout, units, units)
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"{folder / SETTINGS} does not describe a network ({error}); train the model again."
        ) from None
    try:
        load(folder / PARAMETERS, model)
    except FileFormatError:
        raise
    except WengertError as error:
        raise FileFormatError(
            f"{folder / PARAMETERS} does not fit the network in {SETTINGS} ({error}); train the model again."
        ) from None
    model.eval()
    return Run(model, schema, settings)


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read ({error.strerror}); give a whole run folder.") from None
    except ValueError as error:
        raise FileFormatError(f"{path} is no JSON ({error}); train the model again.") from None
    found = settings.get("format") if isinstance(settings, dict) else None
    if found != FORMAT:
        raise FileFormatError(f"{path} has format {found!r}, this version reads {FORMAT}; train the model again.")
    return settings  # type: ignore[no-any-return]
