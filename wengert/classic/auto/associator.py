"""`AutoAssociator`: a network that learns to answer its input with its input, through a narrow layer."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state

from ...errors import ArgumentError, DivergedError
from ...record.buffers import Array
from ...train.progress import shown
from ..estimator import Estimator, choice, plain, real, squarable, whole
from .network import SQUASHED, TRANSFERS, Shape, Task, Weights, run
from .solvers import Solution, chosen, total, trained


class AutoAssociator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    """Two multilayer perceptrons back to back (M. A. Kramer, AIChE J. 37:233, 1991): nonlinear principal components.

    The first maps the inputs to a few codes, the second maps the codes back; both are trained together so that the
    outputs equal the inputs. With `mapping=()` all is linear, and the codes span what principal components span (P.
    Baldi, K. Hornik, Neural Networks 2:53, 1989).

    code: units of the narrow layer; with as many as there are features, nothing need be learned.
    mapping: units of the layers between inputs and codes; between codes and outputs they come in reverse order.
    transfer: of the mapping layers, "tansig", "logsig", "radbas", "poslin" or "purelin".
    bottleneck: transfer function of the codes, likewise; "tansig" keeps them between -1 and 1.
    output: "purelin", or "tansig" or "logsig" for outputs that cannot leave the range of the training data by much.
    scaling: "each" brings every feature to the same spread, "common" divides all by one number, as for pixels.
    tied: the second half uses the first half's weights, transposed.
    noise: train on corrupted inputs with clean targets; the size of the corruption in standard deviations of the
        scaled features, 0 for none. corruption: "all" adds to every feature, "one" to a single one of each row, as a
        faulty sensor does. copies: corrupted versions of each row, learned beside the clean one.
    solver: "lm" (Levenberg-Marquardt, for up to about 1000 parameters), "lbfgs", or "auto", which takes the first where
        a step of it is cheap.
    epochs: steps at most. restarts: initial weights tried; each is trained for a sixth of the steps, and the best to
        the end. tol: stop where 20 steps lower the cost by less than this share.
    decay: weight of the sum of squared parameters in the cost.
    random_state: None, an integer, or a RandomState; an integer makes `fit` repeatable.
    verbose: whether to show the cost after each step.

    Learned: `coefs_` and `intercepts_` (one array (inputs, units) and one (units,) for each layer, float64, for scaled
    features), `centre_` and `spread_` (features,), `cost_`, `loss_curve_` (the cost after each step),
    `n_iter_`, `solver_`, `shape_` (units of each layer). float32 data gives float32 results.

    >>> import numpy as np
    >>> t = np.linspace(-1, 1, 50)
    >>> X = np.column_stack([t, t**2, np.sin(2 * t)])
    >>> model = AutoAssociator(code=1, mapping=(4,), random_state=0).fit(X)
    >>> model.compress(X).shape, bool(model.score(X) > 0.999)
    ((50, 1), True)
    """

    def __init__(
        self,
        code: int = 2,
        mapping: tuple[int, ...] = (6,),
        transfer: str = "tansig",
        bottleneck: str = "purelin",
        output: str = "purelin",
        scaling: str = "each",
        tied: bool = False,
        noise: float = 0.0,
        corruption: str = "all",
        copies: int = 4,
        solver: str = "auto",
        epochs: int = 300,
        restarts: int = 5,
        tol: float = 1e-6,
        decay: float = 1e-6,
        random_state: Any = None,
        verbose: bool = False,
    ):
        self.code = code
        self.mapping = mapping
        self.transfer = transfer
        self.bottleneck = bottleneck
        self.output = output
        self.scaling = scaling
        self.tied = tied
        self.noise = noise
        self.corruption = corruption
        self.copies = copies
        self.solver = solver
        self.epochs = epochs
        self.restarts = restarts
        self.tol = tol
        self.decay = decay
        self.random_state = random_state
        self.verbose = verbose

    # -- learning --------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn to reproduce the rows of X, shape (rows, features); y is ignored.

        Raises `ArgumentError` for a setting that cannot be, ValueError for data that are no finite numbers, and
        `DivergedError` where the cost is not finite.
        """
        X = squarable(self, self._samples(X, reset=True))
        shape = self._shape(X.shape[1])
        solver = choice(self, "solver", ("auto", "lm", "lbfgs"))
        epochs, restarts = whole(self, "epochs"), whole(self, "restarts")
        tol = real(self, "tol", lambda v: 0 <= v < 1, "a number from 0 to below 1")
        decay = real(self, "decay", lambda v: v >= 0, "a number of at least 0")
        rng = check_random_state(self.random_state)
        self.centre_, self.spread_ = self._scales(X.astype(np.float64))
        inputs, targets = self._corrupted((X - self.centre_) / self.spread_, rng)
        task = Task(shape, inputs, targets, decay)
        self.solver_ = chosen(task) if solver == "auto" else solver
        starts = [shape.drawn(rng) for _ in range(restarts)]
        with shown(total(restarts, epochs), bool(self.verbose)) as progress:
            best = trained(self.solver_, task, starts, epochs, tol, progress)
        self._keep(shape, best)
        return self

    def _keep(self, shape: Shape, best: Solution) -> None:
        """Set what was learned: the outcome of the best training."""
        self.cost_ = best.costs[-1]
        if not np.isfinite(self.cost_):
            raise DivergedError("AutoAssociator: no training ended with a finite cost; give data of moderate size.")
        self.loss_curve_ = np.array(best.costs)
        self.n_iter_ = len(best.costs) - 1
        self.shape_ = shape.sizes
        layers = shape.split(best.v[shape.places])
        self.coefs_ = [weight.copy() for weight, _ in layers]
        self.intercepts_ = [bias.copy() for _, bias in layers]

    def _shape(self, features: int) -> Shape:
        """Return the shape of the network, from the settings."""
        code, mapping = whole(self, "code"), self.mapping
        listed = isinstance(mapping, (tuple, list, np.ndarray))
        if not listed or not all(isinstance(n, (int, np.integer)) and n >= 1 for n in mapping):
            raise ArgumentError(
                f"AutoAssociator: mapping={mapping!r} was given; pass a tuple with the units of each mapping layer, "
                "as (12,), or () for a linear network."
            )
        half = tuple([int(n) for n in mapping])
        transfer = choice(self, "transfer", tuple(TRANSFERS))
        narrow = choice(self, "bottleneck", tuple(TRANSFERS))
        output = choice(self, "output", tuple(SQUASHED))
        transfers = (*[transfer] * len(half), narrow, *[transfer] * len(half), output)
        return Shape((features, *half, code, *half[::-1], features), transfers, bool(self.tied))

    def _scales(self, X: Array) -> tuple[Array, Array]:
        """Return what is subtracted from each feature, and what it is then divided by."""
        common = choice(self, "scaling", ("each", "common")) == "common"
        span = SQUASHED[self.output]
        if span is None:
            centre = X.mean(axis=0)
            spread = np.sqrt(np.square(X - centre).mean(axis=None if common else 0))
        else:
            low, high = X.min(axis=0), X.max(axis=0)
            spread = ((high - low).max() if common else high - low) / (span[1] - span[0])
        spread = np.broadcast_to(spread, X.shape[1:]).copy()
        # What varies by less than rounding is constant, and is not blown up.
        spread[spread <= 8 * np.finfo(np.float64).eps * np.abs(X).max(axis=0)] = 1.0
        return (centre if span is None else (low + high) / 2 - spread * sum(span) / 2), spread

    def _corrupted(self, x: Array, rng: np.random.RandomState) -> tuple[Array, Array]:
        """Return inputs and targets: the rows themselves, and below them corrupted versions with clean targets."""
        size = real(self, "noise", lambda v: v >= 0, "a number of at least 0")
        copies, kind = whole(self, "copies"), choice(self, "corruption", ("all", "one"))
        if not size:
            return x, x
        inputs, unit = [x], size * np.sqrt(np.square(x).mean())
        for _ in range(copies):
            added = unit * rng.standard_normal(x.shape)
            if kind == "one":
                added *= np.arange(x.shape[1]) == rng.randint(x.shape[1], size=(len(x), 1))
            inputs.append(x + added)
        return np.concatenate(inputs), np.concatenate([x] * len(inputs))

    # -- use -------------------------------------------------------------------------------------------------------

    @property
    def _n_features_out(self) -> int:
        return int(self.shape_[len(self.shape_) // 2])

    def compress(self, X: Any) -> Array:
        """Return the codes of rows: shape (rows, code). The same as `transform`."""
        x = self._scaled(X)
        return run(*self.coder(), x)

    def expand(self, codes: Any) -> Array:
        """Return the rows that codes stand for: shape (rows, features). The same as `inverse_transform`.

        Raises `ArgumentError` where codes do not have one column for each unit of the narrow layer.
        """
        self._fitted()
        codes = check_array(plain(codes), dtype=[np.float64, np.float32], order="C")
        if codes.shape[1] != self._n_features_out:
            raise ArgumentError(
                f"expand: codes of shape {codes.shape} were given; pass {self._n_features_out} columns, as `compress` "
                "returns them."
            )
        return self._in_units(run(*self.decoder(), codes))

    def transform(self, X: Any) -> Array:
        """Return the codes of rows: shape (rows, code)."""
        return self.compress(X)

    def inverse_transform(self, X: Any) -> Array:
        """Return the rows that codes stand for: shape (rows, features)."""
        return self.expand(X)

    def reconstruct(self, X: Any) -> Array:
        """Return what the network answers to each row: shape (rows, features)."""
        return self._in_units(self._answer(self._scaled(X)))

    def errors(self, X: Any) -> Array:
        """Return what each row has over the network's answer, feature by feature: shape (rows, features)."""
        x = self._scaled(X)
        return np.asarray((x - self._answer(x)) * self.spread_, x.dtype)

    def squared_errors(self, X: Any) -> Array:
        """Return the squared prediction error of each row, summed over its scaled features: shape (rows,)."""
        x = self._scaled(X)
        return np.asarray(np.square(x - self._answer(x)).sum(axis=1))

    def score(self, X: Any, y: None = None) -> float:
        """Return the share of the variance of X that is reproduced: 1 is all, 0 as good as the mean of X's rows.

        Both are of scaled features, as in training. Where all rows are equal the share is 1 if they are reproduced to
        rounding, else 0.
        """
        x = self._scaled(X).astype(np.float64)
        lost = float(np.square(x - self._answer(x)).sum())
        there = float(np.square(x - x.mean(axis=0)).sum())
        if there <= np.finfo(np.float64).eps * x.size:
            return float(lost <= 1e-12 * x.size)
        return 1 - lost / there

    def layers(self) -> tuple[Weights, tuple[str, ...]]:
        """Return (weight, bias) of every layer, from scaled features to scaled answers, and their transfer functions.

        The first half of them, to the codes, is the coder; the second the decoder.
        """
        self._fitted()
        between = (self.transfer,) * (len(self.coefs_) // 2 - 1)
        transfers = (*between, self.bottleneck, *between, self.output)
        return list(zip(self.coefs_, self.intercepts_, strict=True)), transfers

    def _half(self, which: slice) -> tuple[Weights, tuple[str, ...]]:
        weights, transfers = self.layers()
        return weights[which], transfers[which]

    def decoder(self) -> tuple[Weights, tuple[str, ...]]:
        """Return the layers from codes to scaled answers, as `layers` does."""
        return self._half(slice(len(self.coefs_) // 2, None))

    def coder(self) -> tuple[Weights, tuple[str, ...]]:
        """Return the layers from scaled features to codes, as `layers` does."""
        return self._half(slice(len(self.coefs_) // 2))

    def _answer(self, x: Array) -> Array:
        """Return the network's answer to scaled rows."""
        return run(*self.layers(), x)

    def _scaled(self, X: Any) -> Array:
        self._fitted()
        X = squarable(self, self._samples(X, reset=False))
        return np.asarray((X - self.centre_) / self.spread_, X.dtype)

    def _in_units(self, x: Array) -> Array:
        return np.asarray(x * self.spread_ + self.centre_, x.dtype)
