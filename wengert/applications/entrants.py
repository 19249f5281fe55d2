"""The networks of ours that take part again and again."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .application import Entrant
from .evaluation import Result
from .network import MLPClassifier, MLPRegressor

DECAYS = (3.0, 0.3, 0.03)  # where two are equally good, the larger is taken
MLP = "multilayer perceptron"
DIRECT = (
    " But that it has direct connections was decided after a first look at such figures: without them it was farther "
    "behind the linear baseline."
)


def perceptron(quick: bool, hidden: tuple[int, ...], epochs: int, **settings: Any) -> Entrant:
    """Return a committee of five multilayer perceptrons for classes, its weight decay chosen inside.

    A quick run trains one network, with one weight decay, for a few epochs.
    """
    return _committee(MLPClassifier, quick, hidden, epochs, False, settings)


def regression(quick: bool, hidden: tuple[int, ...], epochs: int, *, ordered: bool = False, **settings: Any) -> Entrant:
    """Return the same for a quantity, with direct connections; ordered: whether rows are in the order of time."""
    return _committee(MLPRegressor, quick, hidden, epochs, ordered, {"direct": True, **settings})


def _committee(
    kind: Any, quick: bool, hidden: tuple[int, ...], epochs: int, ordered: bool, settings: dict[str, Any]
) -> Entrant:
    epochs, members, decay = (min(epochs, 10), 1, DECAYS[1]) if quick else (epochs, 5, DECAYS)
    settings = {"epochs": epochs, "members": members, "decay": decay, "ordered": ordered, **settings}
    units = "-".join(map(str, hidden))
    beside = " beside direct connections" if settings.get("direct") else ""
    decayed = f"weight decay {DECAYS[1]:g}" if quick else "weight decay chosen inside"
    about = f"{units} tansig units{beside}, mean of {members}, {epochs} epochs, {decayed}"
    return Entrant(MLP, lambda seed: kind(hidden, random_state=seed, **settings), ours=True, about=about)


def resonance(quick: bool) -> Entrant:
    """Return five Fuzzy ARTMAP networks that vote, each taught the rows in an order of its own."""
    from ..classic import FuzzyARTMAP, VotingARTMAP

    voters = 2 if quick else 5
    return Entrant(
        f"Fuzzy ARTMAP, {voters} voters",
        lambda seed: VotingARTMAP(FuzzyARTMAP(max_epochs=10), n_voters=voters, random_state=seed),
        ours=True,
        about="baseline vigilance 0, fast learning, at most 10 passes, each voter in an order of its own",
    )


def kernels(*, scaled: bool = True) -> Entrant:
    """Return a probabilistic neural network: every training row a unit, the spread chosen by leaving one out."""
    from ..classic import PNN

    return Entrant(
        "probabilistic network",
        lambda seed: make_pipeline(*[StandardScaler()] * scaled, PNN(random_state=seed)),
        ours=True,
        about="Gaussian units on all training rows, their spread chosen by leaving one out",
    )


def labelled_map(quick: bool, rows: int, columns: int, *, scaled: bool = True) -> Entrant:
    """Return a self-organizing map whose units are named by the classes of the rows they win."""
    from ..classic import SOM, SOMClassifier

    epochs = 5 if quick else 40
    return Entrant(
        "self-organizing map",
        lambda seed: make_pipeline(
            *[StandardScaler()] * scaled, SOMClassifier(SOM(rows, columns, epochs=epochs, random_state=seed))
        ),
        ours=True,
        about=f"{rows} x {columns} units, hexagonal, batch, {epochs} epochs, units named by majority",
    )


def decays(result: Result) -> str:
    """Return, in a sentence, how often each weight decay was chosen over the rounds.

    Where the network is held by another estimator (`WithIntervals`), that one is asked for it.
    """
    networks = [getattr(each, "estimator_", each) for each in result.trained[MLP]]
    if not isinstance(networks[0].decay, tuple):
        return f"{result.contest.name}: the weight decay was {networks[0].decay:g}; a run that is not quick chooses it."
    counts = Counter(each.decay_ for each in networks)
    found = ", ".join(f"{decay:g} in {count}" for decay, count in sorted(counts.items()))
    return f"{result.contest.name}: of {len(networks)} rounds, the inner folds chose a weight decay of {found}."
