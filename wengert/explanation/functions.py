"""Names people write: the functions of formulas, and the transfer functions of networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_UNARY = (
    "abs acos acosh asin asinh atan atanh ceil cos cosh elu erf exp expm1 floor hardlim hardlims leaky_relu "
    "log log10 log1p log2 radbas reciprocal relu round satlin satlins sigmoid sign sin sinh softplus sqrt "
    "square tan tanh trunc"
)
_BINARY = "atan2 copysign hypot logaddexp maximum minimum"
_OTHER_NAMES = {
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctanh": "atanh",
    "ln": "log",
    "logsig": "sigmoid",
    "max": "maximum",
    "min": "minimum",
    "poslin": "relu",
    "tansig": "tanh",
}
# Every function a formula may call: the name as written -> (public name, number of arguments). Each is one
# primitive, so that a formula records one entry per operation that is written.
FUNCTIONS: dict[str, tuple[str, int]] = {
    **{name: (name, 1) for name in _UNARY.split()},
    **{name: (name, 2) for name in _BINARY.split()},
}
FUNCTIONS |= {written: FUNCTIONS[public] for written, public in _OTHER_NAMES.items()}

_TRANSFER = "elu gelu hardlim hardlims leaky_relu logsig poslin purelin radbas relu satlin satlins silu softplus tansig"
# Transfer functions of a network, all elementwise: the name as written -> name in `wengert.nn`.
TRANSFER_FUNCTIONS: dict[str, str] = {name: name for name in _TRANSFER.split()} | {
    "linear": "purelin",
    "sigmoid": "logsig",
    "tanh": "tansig",
}


def formula_functions() -> dict[str, Callable[..., Any]]:
    """The library's own functions under the public names that a parsed formula calls.

    Numbers become float64 tensors; `^` with the exponent 2 is the one operation `square`.

    >>> formula_functions()["sin"](0.0).item()
    0.0
    """
    import wengert

    def recorded(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if all(isinstance(argument, float) for argument in arguments):
                arguments = tuple(wengert.tensor(argument, dtype=wengert.float64) for argument in arguments)
            return function(*arguments)

        return call

    def power(x: Any, exponent: Any) -> Any:
        return wengert.square(x) if isinstance(exponent, float) and exponent == 2 else x**exponent

    found = {public: recorded(getattr(wengert, public)) for public, _ in FUNCTIONS.values()}
    return found | {"^": power}
