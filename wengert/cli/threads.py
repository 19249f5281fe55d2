"""One thread for NumPy's matrix products while a small network trains.

Products of these sizes gain nothing from a second thread, and where another program wants the same core they wait for
it: the digits then took ten times as long. It also makes the result independent of the number of cores.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


@contextmanager
def one_thread() -> Iterator[None]:
    """Let the OpenBLAS that comes with NumPy use one thread inside the block.

    Where an environment variable says how many, or NumPy uses another library, nothing changes.

    >>> with one_thread():
    ...     product = np.ones((2, 2)) @ np.ones((2, 2))
    """
    found = None if any(name in os.environ for name in VARIABLES) else controls()
    if found is None:
        yield
        return
    get, put = found
    before = get()
    put(1)
    try:
        yield
    finally:
        put(before)


def controls() -> tuple[Callable[[], int], Callable[[int], Any]] | None:
    """The functions that tell and set the number of threads, or None where there are none to be found."""
    package = Path(np.__file__).parent
    for folder in (package.with_name("numpy.libs"), package / ".dylibs"):
        for file in sorted(folder.glob("*openblas*")):
            try:
                library = ctypes.CDLL(str(file))  # loaded already: this is a second handle to the same library
            except OSError:
                continue
            for suffix in ("64_", ""):
                get = getattr(library, f"scipy_openblas_get_num_threads{suffix}", None)
                put = getattr(library, f"scipy_openblas_set_num_threads{suffix}", None)
                if get is not None and put is not None:
                    return get, put
    return None
