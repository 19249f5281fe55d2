"""What the library says about itself in the Array API's terms: `wengert.__array_namespace_info__()`."""

from typing import Any

from . import dtypes
from .errors import ArgumentError
from .ops.creation import check_device


class Info:
    """The answers of `__array_namespace_info__()`.

    >>> import wengert
    >>> wengert.__array_namespace_info__().default_device()
    'cpu'
    """

    def capabilities(self) -> dict[str, Any]:
        """Return what the library can do: index by bools, find shapes from values, and how many axes it has."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Return where a tensor is made when nothing is said."""
        return "cpu"

    def devices(self) -> tuple[str, ...]:
        """Return the devices there are."""
        return ("cpu",)

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """Return the dtypes of tensors made of Python numbers, by kind."""
        check_device(device)
        return {
            "real floating": dtypes.DEFAULT["f"],
            "complex floating": dtypes.DEFAULT["c"],
            "integral": dtypes.DEFAULT["i"],
            "indexing": dtypes.int64,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """Return the standard's dtypes of a kind (None: all) by their names; kinds as in `isdtype`, or a tuple of them.

        float16, which the library has and the standard has not, is left out.

        Raises `ArgumentError` for another kind.
        """
        check_device(device)
        kinds = tuple(dtypes.KINDS) if kind is None else kind if isinstance(kind, tuple) else (kind,)
        for each in kinds:
            if each not in dtypes.KINDS:
                raise ArgumentError(f"dtypes: kind {each!r} is not known; use one of {', '.join(dtypes.KINDS)}.")
        standard = [dtype for dtype in dtypes.ALL if dtype is not dtypes.float16]
        return {dtype.name: dtype for dtype in standard if any(dtype in dtypes.KINDS[each] for each in kinds)}
