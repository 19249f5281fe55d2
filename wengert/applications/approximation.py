"""Function approximation: how the error falls with width, what linear layers cannot do, and where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .. import nn, random
from ..autodiff.transforms import no_grad
from ..classic.auto.network import Shape, Task, run
from ..classic.auto.solvers import trained
from ..errors import ArgumentError
from ..ops.creation import tensor
from ..record.buffers import Array
from ..train import fit
from ..train.progress import shown
from . import baselines, measures, pictures
from .application import Application, Contest, Entrant, Samples, Source
from .entrants import DIRECT, decays, regression
from .splits import repeated_folds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .evaluation import Outcome

WIDTHS = (1, 2, 4, 8, 16, 32)
TRAINED_ON = (-2.0, 2.0)  # the range of the curve's samples


def _load() -> Samples:
    from sklearn.datasets import load_diabetes

    table = load_diabetes(scaled=False)
    return Samples(table.data, table.target, tuple(map(str, table.feature_names)))


def _entrants(quick: bool) -> tuple[Entrant, ...]:
    from ..classic import GRNN

    def kernels(seed: int) -> object:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), GRNN(random_state=seed))

    about = "Gaussian units on all training rows, their spread chosen by leaving one out"
    ours = (regression(quick, (8,), 60), Entrant("general regression network", kernels, ours=True, about=about))
    return (*ours, *baselines.for_numbers())


# -- error against width ----------------------------------------------------------------------------------------------


def curve(x: Array) -> Array:
    """The function to be approximated, sin(3 x) + x / 2 with a kink at 1: smooth but for one point.

    >>> curve(np.array([0.0, 1.0])).round(4).tolist()
    [0.0, 0.6411]
    """
    return np.asarray(np.sin(3 * x) + x / 2 + np.maximum(x - 1, 0))


class Width(NamedTuple):
    """RMS errors between samples: widths (n,), tansig networks and purelin stacks (seeds, n), and the best line's."""

    widths: Array
    tansig: Array
    purelin: Array
    line: float


@cache
def error_against_width(seed: int = 0, quick: bool = False) -> Width:
    """Train networks of more and more units on 256 samples of `curve`, and measure them between the samples.

    Beside them, stacks of two purelin layers of the same widths, which are lines however wide they are. All are trained
    by Levenberg-Marquardt steps from three seeds, the better of two starts each.
    """
    widths, steps = (WIDTHS[:2], 20) if quick else (WIDTHS, 150)
    x = np.linspace(*TRAINED_ON, 256)[:, None]
    between = (x[1:] + x[:-1]) / 2
    slope = np.polyfit(x[:, 0], curve(x[:, 0]), 1)
    line = _rms(np.polyval(slope, between[:, 0]), curve(between[:, 0]))
    found: dict[str, list[list[float]]] = {"tansig": [], "purelin": []}
    for transfer, runs in found.items():
        for number in range(1 if quick else 3):
            answers = (_approximated(transfer, width, x, between, seed + number, steps) for width in widths)
            runs.append([_rms(answer, curve(between[:, 0])) for answer in answers])
    return Width(np.array(widths, float), np.array(found["tansig"]), np.array(found["purelin"]), line)


def _rms(answer: Array, wanted: Array) -> float:
    return float(np.sqrt(np.square(answer - wanted).mean()))


def _approximated(transfer: str, width: int, x: Array, elsewhere: Array, seed: int, steps: int) -> Array:
    """Train a network of one hidden layer on `curve` at x, and return its answers elsewhere."""
    shape, y = Shape((1, width, 1), (transfer, "purelin")), curve(x)
    centre, spread = y.mean(), y.std()
    task, rng = Task(shape, x, (y - centre) / spread, 0.0), np.random.RandomState(seed)
    with shown(1, False) as progress:
        best = trained("lm", task, [shape.drawn(rng) for _ in range(2)], steps, 0.0, progress)
    answer = run(shape.split(best.v[shape.places]), shape.transfers, elsewhere)
    return np.asarray(answer[:, 0] * spread + centre)


# -- a stack of linear layers -----------------------------------------------------------------------------------------


class Collapsed(NamedTuple):
    """One affine map equal to a stack: matrix (outputs, inputs), offset (outputs,), float64."""

    matrix: Array
    offset: Array


def collapse(stack: nn.Sequential) -> Collapsed:
    """Return the one matrix and offset that a stack of linear layers with purelin between them amounts to.

    Raises `ArgumentError` for a stack with another layer in it.

    >>> stack = nn.Sequential(nn.Linear(2, 3), nn.Purelin(), nn.Linear(3, 1))
    >>> collapse(stack).matrix.shape
    (1, 2)
    """
    found: Collapsed | None = None
    for layer in stack:
        if isinstance(layer, nn.Purelin):
            continue
        if not isinstance(layer, nn.Linear) or layer.bias is None:
            raise ArgumentError(f"collapse: {layer!r} is neither purelin nor linear with a bias; leave it out.")
        weight, bias = (np.array(part.detach().numpy(), np.float64) for part in (layer.weight, layer.bias))
        found = (
            Collapsed(weight, bias) if found is None else Collapsed(weight @ found.matrix, weight @ found.offset + bias)
        )
    if found is None:
        raise ArgumentError("collapse: the stack has no linear layer; give one with some.")
    return found


def stack_and_matrix(x: Array, y: Array, seed: int = 0) -> tuple[float, Collapsed]:
    """Train a stack of four linear layers on standardised rows; return how far its one matrix is from it, and that.

    The distance is the largest difference of their answers, in standard deviations of the target.
    """
    rows = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)
    target = ((y - y.mean()) / y.std()).astype(np.float32)[:, None]
    with random.using(random.Generator(seed)):
        sizes = (rows.shape[1], 32, 16, 8)
        layers = [each for a, b in pairwise(sizes) for each in (nn.Linear(a, b), nn.Purelin())]
        stack = nn.Sequential(*layers, nn.Linear(sizes[-1], 1))
    fit(stack, (rows, target), epochs=20, seed=seed, verbose=False)
    one = collapse(stack)
    with no_grad():
        answer = np.array(stack.forward(tensor(rows)).numpy(), np.float64)
    return float(np.abs(answer - (rows.astype(np.float64) @ one.matrix.T + one.offset)).max()), one


# -- where a prediction extrapolates ----------------------------------------------------------------------------------


class Beyond(NamedTuple):
    """Places (n,), truth and answer there, and whether the answer is flagged as an extrapolation."""

    x: Array
    truth: Array
    answer: Array
    flagged: Array


@cache
def beyond_the_data(seed: int = 0, quick: bool = False) -> Beyond:
    """Let a network of 8 units trained on samples from -2 to 2 answer from -4 to 4, and flag what no sample was near.

    The flag is the general regression network's, trained on the same rows: a row farther from all training rows than 99
    in a hundred of them are from the rest.
    """
    from ..classic import GRNN

    x, places = np.linspace(*TRAINED_ON, 256)[:, None], np.linspace(-4.0, 4.0, 401)[:, None]
    answer = _approximated("tansig", 8, x, places, seed, 20 if quick else 150)
    flags = np.asarray(GRNN().fit(x, curve(x[:, 0])).extrapolates(places))
    return Beyond(places[:, 0], curve(places[:, 0]), answer, flags)


def _pictures(outcome: Outcome) -> Mapping[str, Figure]:
    width = error_against_width(outcome.seed, outcome.quick)
    curves = {
        "tansig": width.tansig,
        "purelin stack": width.purelin,
        "best line": np.full(len(width.widths), width.line),
    }
    names = ("units of the hidden layer", "RMS error between samples")
    beyond = beyond_the_data(outcome.seed, outcome.quick)
    believed = np.where(beyond.flagged, np.nan, beyond.answer)
    answers = {
        "truth": beyond.truth,
        "network": believed,
        "network, flagged": np.where(beyond.flagged, beyond.answer, np.nan),
    }
    title = "Beyond the samples (dotted lines) nothing was learned"
    return {
        "error-against-width": pictures.lines(width.widths, curves, names, "Error against width", log=True),
        "extrapolation": pictures.lines(beyond.x, answers, ("x", "y"), title, marked=TRAINED_ON),
    }


def _findings(outcome: Outcome) -> list[str]:
    samples = outcome.results[0].samples
    width, beyond = error_against_width(outcome.seed, outcome.quick), beyond_the_data(outcome.seed, outcome.quick)
    difference, _ = stack_and_matrix(samples.x, samples.y, outcome.seed)
    errors = ", ".join(
        f"{error:.3g} with {int(n)}" for n, error in zip(width.widths, width.tansig.mean(0), strict=True)
    )
    inside = (beyond.x >= TRAINED_ON[0]) & (beyond.x <= TRAINED_ON[1])
    miss = np.abs(beyond.answer - beyond.truth)
    warning = (
        f"Warning: {int(beyond.flagged.sum())} of {len(beyond.x)} answers asked of the network extrapolate; their "
        f"mean error is {miss[beyond.flagged].mean():.2g}, that of the others {miss[~beyond.flagged].mean():.2g}. "
        f"Inside the samples {int(beyond.flagged[inside].sum())} are flagged, outside "
        f"{int(beyond.flagged[~inside].sum())} of {int((~inside).sum())}."
    )
    return [
        f"RMS error of sin(3 x) + x / 2 with a kink, between 256 samples: {errors} tansig units; any purelin stack "
        f"{width.purelin.mean():.3g}, the best line {width.line:.3g}.",
        f"A trained stack of four purelin layers (10-32-16-8-1) and its one matrix differ by at most {difference:.1e} "
        "standard deviations of the target: it is linear regression with more parameters.",
        warning,
        decays(outcome.results[0]),
    ]


APPLICATION = Application(
    name="approximation",
    title="Function approximation: diabetes, a curve, and what lies beyond the data",
    family="function approximation",
    question="How well do networks predict the progression of diabetes; how does the error fall with the number of "
    "units; and what is an answer worth where there was no data?",
    source=Source(
        "Progression of diabetes in 442 patients after one year, by ten measurements: B. Efron, T. Hastie, I. "
        "Johnstone and R. Tibshirani, Least angle regression, Ann. Stat. 32 (2004) 407; read from scikit-learn. The "
        "curve is made on the spot.",
        "part of scikit-learn (BSD), which wengert requires",
    ),
    load=_load,
    contests=(
        Contest(
            "10 folds, 3 times",
            "Ten shuffled folds of the patients, three times.",
            repeated_folds(10, 3),
        ),
    ),
    entrants=_entrants,
    measures=(measures.error("points"), measures.absolute_error("points")),
    settings="8 hidden units; the weight decay is chosen in each round by three folds inside the training rows. "
    "Nothing was tuned on test rows." + DIRECT,
    closing="More units approximate a curve better, to any precision; linear layers do not, however many there are. "
    "But no network makes information that is not in the data: ten measurements explain half the variance of the "
    "progression, and a line finds most of that.",
    pictures=_pictures,
    findings=_findings,
)
