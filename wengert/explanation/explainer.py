"""`explain`: run a function or a formula once, and show how its derivatives come about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, GradientError, ShapeError
from ..ops.creation import tensor
from ..ops.operands import filled
from ..record.entry import Handle
from ..record.recorder import tracking
from . import accumulation
from .explained import Explained
from .expression import Call, Equation, Expression, Name, to_text
from .formula import check_variables, evaluate, parse, variables
from .functions import formula_functions
from .listing import Listing, as_array
from .numerals import format_value
from .tables import Report, Table

if TYPE_CHECKING:
    from ..tensor import Tensor


class Explanation(Explained):
    """One evaluation of a function, its Wengert list, and both accumulations of its derivatives.

    Printed, it shows forward accumulation for the first input, reverse accumulation where the result is one
    number, and the contributions that add up; `.report_for(seed)` chooses another input.

    Attributes:
        value: the result, a number or nested tuples of numbers.
    """

    def __init__(self, sources: Mapping[str, Tensor], result: Tensor, rule: Expression) -> None:
        self._sources, self._result, self._rule = dict(sources), result, rule
        self._listing = Listing(sources, result)
        self.value = as_array(result.tolist())
        self._y = next(name for name in ("y", "z", "f", "result") if name not in sources)
        super().__init__(self.report_for(None))

    def report_for(self, seed: str | Mapping[str, Any] | None) -> Report:
        """All tables, forward accumulation with the given seed; see `forward`."""
        tables = [self._forward_table(seed)]
        if self._result.size == 1:
            tables += self._reverse_tables()
        return Report(self._title(), tuple(tables))

    def forward(self, seed: str | Mapping[str, Any] | None = None) -> Explained:
        """Forward accumulation: operations to compute the value beside operations to compute the derivative.

        Args:
            seed: the input whose tangent is 1, all others being 0 (default: the first); or a mapping from
                inputs to tangents of their shapes.

        Raises:
            ArgumentError: there is no such input, or an input that is an array needs its tangent given.
            ShapeError: a tangent has not the shape of its input.

        >>> import wengert
        >>> print(wengert.explain("x1*x2")(x1=2, x2=5).forward("x2"))
        y = x1*x2 at x1 = 2, x2 = 5
        ===========================
        <BLANKLINE>
        forward accumulation, seed x2_dot = 1
        operations to compute value  value  operations to compute derivative  in numbers  derivative
        ---------------------------  -----  --------------------------------  ----------  ----------
        w1 = x1                       2     w1_dot = 0                                    0
        w2 = x2                       5     w2_dot = 1                                    1
        w3 = w1*w2                   10     w3_dot = w2*w1_dot + w1*w2_dot    5*0 + 2*1   2
        """
        return Explained(Report(self._title(), (self._forward_table(seed),)))

    def reverse(self) -> Explained:
        """Reverse accumulation from the result to the inputs, and the contributions that add up.

        Raises:
            GradientError: the result is not one number.
        """
        return Explained(Report(self._title(), tuple(self._reverse_tables())))

    def chain(self) -> Explained:
        """For a chain of functions of one variable: the product of local derivatives, bracketed both ways.

        Raises:
            GradientError: it is no chain, or not all its values are single numbers.
        """
        sizes = {entry.spec.size for entry in self._listing.entries}
        if len(self._listing.entries) < 2 or sizes != {1}:
            raise GradientError("chain: only functions of one number can be bracketed; use .forward() or .reverse().")
        listing = self._listing
        seeds = {listing.sources[0]: _leaf(np.ones(listing.sources[0].spec.shape))}
        tables = accumulation.chain_tables(
            accumulation.forward(listing, seeds | self._others(seeds)), self._reverse_walk()
        )
        return Explained(Report(self._title(), tables))

    def _title(self) -> str:
        point = ", ".join(f"{name} = {format_value(as_array(x.tolist()), 6)}" for name, x in self._sources.items())
        return f"{to_text(Equation((Name(self._y), self._rule)))} at {point}"

    def _forward_table(self, seed: str | Mapping[str, Any] | None) -> Table:
        seeds, shown = self._seeds(seed)
        walk = accumulation.forward(self._listing, seeds)
        return accumulation.forward_table(walk, f"forward accumulation, seed {shown}")

    def _reverse_tables(self) -> list[Table]:
        walk = self._reverse_walk()
        last = self._listing.names[self._listing.result].base
        return [
            accumulation.reverse_table(walk, f"reverse accumulation, seed {last}_bar = 1", self._y),
            accumulation.share_table(walk, "contributions, in the order in which they are added up"),
        ]

    def _reverse_walk(self) -> accumulation.Walk:
        if self._result.size != 1:
            raise GradientError(
                f"reverse: the result has shape {self._result.shape}, and adjoints start from one number; "
                "sum it, or use .forward()."
            )
        seed = filled(self._result.shape, 1, self._result.dtype)
        return accumulation.reverse(self._listing, seed.requires_grad_())

    def _seeds(self, seed: str | Mapping[str, Any] | None) -> tuple[dict[Any, Tensor], str]:
        """The tangents of all inputs, and the words for them."""
        if seed is None:
            seed = next(iter(self._sources))
            x = self._sources[seed]
            seed = {seed: np.ones(x.shape)}
        elif isinstance(seed, str):
            if seed in self._sources and self._sources[seed].ndim:
                shape = self._sources[seed].shape
                raise ArgumentError(
                    f"forward: {seed} has shape {shape}; give its tangent, forward({{'{seed}': [...]}})."
                )
            seed = {seed: 1.0}
        for name in seed:
            if name not in self._sources:
                raise ArgumentError(
                    f"forward: there is no input '{name}' to seed; the inputs are {', '.join(self._sources)}."
                )
        shown, seeds = [], {}
        for name, dot in seed.items():
            x, array = self._sources[name], np.asarray(dot, dtype=np.float64)
            if array.shape != x.shape:
                raise ShapeError(
                    f"forward: the tangent of {name} has shape {array.shape}, and {name} has {x.shape}; "
                    "they must be equal."
                )
            seeds[x.entry] = _leaf(array.astype(x.dtype))
            shown.append(f"{name}_dot = {format_value(as_array(array), 6)}")
        return seeds | self._others(seeds), ", ".join(shown)

    def _others(self, seeds: Mapping[Any, Tensor]) -> dict[Any, Tensor]:
        """Tangents 0 for every source without a seed."""
        rest = [source for source in self._listing.sources if source not in seeds]
        return {source: _leaf(np.zeros(source.spec.shape, source.spec.dtype)) for source in rest}


def explain(f: str | Callable[..., Any]) -> Callable[..., Explanation]:
    """Show how a function or a formula computes its value and its derivatives.

    Args:
        f: a formula such as "x1*x2 + sin(x1)", or a Python function of wengert tensors.

    Returns:
        A function: call it with the inputs (a formula's by name) to get an `Explanation`, which prints itself
        as text, shows itself in a notebook, and has `.forward(seed)`, `.reverse()`, `.chain()`, `.to_html()`,
        `.to_latex()` and `.to_json()`. Numbers, lists and integer arrays become float64; a float32 array or
        tensor keeps its dtype.

    Raises:
        FormulaError: the formula cannot be read; when called, a variable without a value or a value without a
            variable.
        GradientError: (when called) the result is not one tensor that depends on the inputs.

    >>> import wengert
    >>> print(wengert.explain(lambda x: x * x)(3.0).reverse())
    y = <lambda>(x) at x = 3
    ========================
    <BLANKLINE>
    reverse accumulation, seed w2_bar = 1
    operations to compute derivative  in numbers  derivative  which is
    --------------------------------  ----------  ----------  --------
    w2_bar = 1                                    1           dy/dw2
    w1_bar = w2_bar*w1 + w2_bar*w1    1*3 + 1*3   6           dy/dx
    <BLANKLINE>
    contributions, in the order in which they are added up
    from  sends      in numbers  amount  to  whose sum was  and becomes
    ----  ---------  ----------  ------  --  -------------  -----------
    w2    w2_bar*w1  1*3         3       w1  0              3
    w2    w2_bar*w1  1*3         3       w1  3              6
    """
    if isinstance(f, str):
        return _formula(f)
    if not callable(f):
        raise ArgumentError(f"explain: expected a formula or a function, got a {type(f).__name__}.")
    return _function(f)


def _formula(formula: str) -> Callable[..., Explanation]:
    tree = parse(formula)
    names = variables(tree)

    def explained(**values: Any) -> Explanation:
        check_variables(formula, tree, values)
        if not names:
            raise GradientError(f"explain: {formula.strip()} has no variable to differentiate by; use one, as in 2*x.")
        sources = {name: _source(values[name]) for name in names}
        with tracking(True):
            result = evaluate(tree, formula_functions(), sources)
        return _explanation(sources, result, tree)

    return explained


def _function(f: Callable[..., Any]) -> Callable[..., Explanation]:
    from inspect import Parameter, signature

    def explained(*args: Any, **kwargs: Any) -> Explanation:
        bound = signature(f).bind(*args, **kwargs)
        sources: dict[str, Tensor] = {}
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            if kind is Parameter.VAR_POSITIONAL:
                tensors = [_source(item) for item in value]
                sources |= {f"{name}{number}": x for number, x in enumerate(tensors, 1)}
                bound.arguments[name] = tuple(tensors)
            elif kind is Parameter.VAR_KEYWORD:
                bound.arguments[name] = {key: _source(item) for key, item in value.items()}
                sources |= bound.arguments[name]
            else:
                sources[name] = bound.arguments[name] = _source(value)
        if not sources:
            raise GradientError("explain: the function was called without inputs; give numbers or arrays.")
        with tracking(True):
            result = f(*bound.args, **bound.kwargs)
        name = getattr(f, "__name__", type(f).__name__)
        return _explanation(sources, result, Call(name, tuple(Name(source) for source in sources)))

    return explained


def _explanation(sources: Mapping[str, Tensor], result: Any, rule: Expression) -> Explanation:
    if not isinstance(result, Handle):
        raise GradientError(
            f"explain: the function returned a {type(result).__name__}, expected one tensor; "
            "compute with wengert's functions, and without float() or .item()."
        )
    if not result.entry.tracked:
        raise GradientError(
            "explain: the result does not depend on the inputs, so there is nothing to differentiate; "
            "check for .detach(), no_grad() or a constant result."
        )
    return Explanation(sources, result, rule)  # type: ignore[arg-type]  # the one subclass of Handle is Tensor


def _source(value: Any) -> Tensor:
    """An input as a leaf of its own, so that explaining changes nothing the user holds."""
    if isinstance(value, Handle):
        value = np.asarray(value.detach())  # type: ignore[attr-defined]
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"explain: an input must be a number or an array of numbers, got {value!r:.60}.")
    return _leaf(array if array.dtype == np.float32 else array.astype(np.float64))


def _leaf(array: Any) -> Tensor:
    return tensor(array, requires_grad=True)
