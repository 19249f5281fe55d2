"""wengert: tensors, derivatives and neural networks that run as plain Python and show every number they computed."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import errors
from .autodiff.batch import vmap
from .autodiff.check import check_gradients
from .autodiff.checkpoint import checkpoint
from .autodiff.custom import custom_rule
from .autodiff.reverse import gradients
from .autodiff.transforms import grad, hessian, hvp, jacobian, jvp, no_grad, value_and_grad, vjp
from .namespace import *  # noqa: F403  # its __all__ lists the names one by one
from .namespace import __all__ as _namespace
from .record.recorder import eager
from .record.recorder import execute as synchronize

if TYPE_CHECKING:
    from . import classic, datasets, fft, linalg, nn, optim, random, train
    from .compiler.report import report
    from .explanation import explain
    from .random import seed
    from .serialization import load, save
    from .train.fit import fit

__version__ = "0.1.0"
__array_api_version__ = "2025.12"

# Loaded when first used: networks, training and explanation import more than a tensor needs; so do NumPy's names.
_LAZY = {
    "classic": (".classic", None),
    "datasets": (".datasets", None),
    "explain": (".explanation", "explain"),
    "explanation": (".explanation", None),
    "fft": (".fft", None),
    "fit": (".train.fit", "fit"),
    "linalg": (".linalg", None),
    "load": (".serialization", "load"),
    "nn": (".nn", None),
    "optim": (".optim", None),
    "random": (".random", None),
    "report": (".compiler.report", "report"),
    "save": (".serialization", "save"),
    "seed": (".random", "seed"),
    "train": (".train", None),
}

__all__ = [
    *_namespace,
    "check_gradients",
    "checkpoint",
    "classic",
    "custom_rule",
    "datasets",
    "eager",
    "errors",
    "explain",
    "fft",
    "fit",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linalg",
    "load",
    "nn",
    "no_grad",
    "optim",
    "random",
    "report",
    "save",
    "seed",
    "synchronize",
    "train",
    "value_and_grad",
    "vjp",
    "vmap",
]


def __array_namespace_info__() -> Any:
    """Return what the library says about itself: its dtypes, devices and capabilities (Array API).

    >>> __array_namespace_info__().devices()
    ('cpu',)
    """
    from .inspection import Info

    return Info()


def __dir__() -> list[str]:
    return [*globals(), *_LAZY, *import_module(".numpy_names", __name__).__all__]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        module, attribute = _LAZY[name]
        found = import_module(module, __name__)
        value = found if attribute is None else getattr(found, attribute)
    elif name.startswith("__"):
        raise AttributeError(f"module 'wengert' has no attribute {name!r}.")
    else:
        value = import_module(".numpy_names", __name__).find(name)
    globals()[name] = value
    return value
