"""The functions a formula may call, by the names people write."""

from __future__ import annotations

_UNARY = (
    "abs acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 sign sin sinh sqrt square "
    "tan tanh elu gelu hardlim hardlims logsig poslin purelin radbas relu satlin satlins silu softplus tansig"
)
_BINARY = "atan2 hypot maximum minimum"
_OTHER_NAMES = {
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctanh": "atanh",
    "ln": "log",
    "sigmoid": "logsig",
    "max": "maximum",
    "min": "minimum",
}
# Every function a formula may call: the name as written -> (public name, number of arguments).
FUNCTIONS: dict[str, tuple[str, int]] = {
    **{name: (name, 1) for name in _UNARY.split()},
    **{name: (name, 2) for name in _BINARY.split()},
}
FUNCTIONS |= {written: FUNCTIONS[public] for written, public in _OTHER_NAMES.items() for public in [public]}

_TRANSFER = (
    "elu gelu hardlim hardlims logsig poslin purelin radbas relu satlin satlins silu softplus tansig tanh"
)
# Transfer functions of a network, all elementwise: the name as written -> public name.
TRANSFER_FUNCTIONS: dict[str, str] = {name: name for name in _TRANSFER.split()} | {
    "linear": "purelin",
    "sigmoid": "logsig",
}
