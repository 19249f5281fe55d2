"""Pictures of adaptive resonance: the numbers in the figures are the networks' own."""

from __future__ import annotations

import numpy as np
import pytest

from wengert.classic import ART1, ART2A, FuzzyART, FuzzyARTMAP, VotingARTMAP
from wengert.classic.art import pictures
from wengert.train.pictures import save

RNG = np.random.default_rng(0)
X = RNG.random((300, 2))
Y = np.where(np.hypot(X[:, 0] - 0.5, X[:, 1] - 0.5) < 0.4, "in", "out")
LETTERS = {"I": "010010010", "L": "100100111", "T": "111010010", "O": "111101111"}
PATTERNS = np.array([[int(bit) for bit in text] for text in LETTERS.values()], float)


def test_boxes_are_drawn_where_they_are(tmp_path):
    model = FuzzyARTMAP(feature_range=(0, 1)).fit(X, Y)
    figure = pictures.category_boxes(model, X, Y, names=["width", "height"])
    (panel,) = figure.axes
    drawn = [patch.get_bbox().get_points() for patch in panel.patches]
    np.testing.assert_allclose(drawn, model.boxes(), atol=1e-15)
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("width", "height")
    points = [line for line in panel.lines if line.get_label() in ("in", "out")]
    assert sorted(len(line.get_xdata()) for line in points) == sorted([(Y == "in").sum(), (Y == "out").sum()])
    colours = {kind: patch.get_edgecolor() for kind, patch in zip(model.category_classes_, panel.patches, strict=True)}
    for patch, kind in zip(panel.patches, model.category_classes_, strict=True):
        assert patch.get_edgecolor() == colours[kind]
    assert len(set(colours.values())) == 2
    low, high = panel.get_xlim()
    assert low <= 0.01 and high >= 0.99
    save(figure, tmp_path / "boxes.png")
    assert (tmp_path / "boxes.png").stat().st_size > 5000


def test_boxes_of_other_features_without_data_and_of_one_point():
    rows = np.array([[0.0, 5.0, 1.0], [1.0, 5.0, 0.0]])
    model = FuzzyART(rho=0.9).fit(rows)
    (panel,) = pictures.category_boxes(model, axes=(0, 2)).axes
    assert panel.lines[-1].get_xydata().tolist() == [[0, 1], [1, 0]] and panel.get_ylabel() == "feature 2"
    (panel,) = pictures.category_boxes(model, rows, axes=(0, 1)).axes
    assert [line.get_label() for line in panel.lines] == ["0", "1", "one point"]
    for axes in ((0, 3), (0,), (-1, 0)):
        with pytest.raises(ValueError, match="two numbers below 3"):
            pictures.category_boxes(model, axes=axes)
    with pytest.raises(ValueError, match="1 values for 2 rows"):
        pictures.category_boxes(model, rows, ["a"])


@pytest.mark.parametrize("model", [FuzzyART(), ART2A(), ART1(threshold=0.3), FuzzyARTMAP()])
def test_categories_over_vigilance(model):
    rhos, counts = pictures.categories_over_vigilance(model, X, Y, vigilances=[0.3, 0.6, 0.95])
    assert rhos.tolist() == [0.3, 0.6, 0.95]
    for rho, count in zip(rhos, counts, strict=True):
        assert count == type(model)(**model.get_params() | {"rho": rho}).fit(X, Y).n_categories_
    assert not hasattr(model, "_memory")
    figure = pictures.vigilance_curve(model, X, Y, vigilances=[0.3, 0.6, 0.95])
    assert figure.axes[0].lines[0].get_xydata().tolist() == np.stack([rhos, counts], 1).tolist()
    assert len(pictures.categories_over_vigilance(model, X[:20], Y[:20])[0]) == 19


@pytest.mark.parametrize("model", [FuzzyART(rho=0.8), ART2A(rho=0.99), ART1(threshold=0.3), FuzzyARTMAP()])
def test_categories_over_presentations(model):
    shown, counts = pictures.categories_over_presentations(model, X, Y, points=7)
    assert len(shown) == 7 and shown[-1] == 300 and (np.diff(counts) >= 0).all()
    assert counts[-1] == type(model)(**model.get_params() | {"max_epochs": 1}).fit(X, Y).n_categories_
    each, every = pictures.categories_over_presentations(model, X, Y, points=10**6)
    assert each.tolist() == list(range(1, 301)) and every[shown - 1].tolist() == counts.tolist()
    line = pictures.growth_curve(model, X, Y, points=7).axes[0].lines[0]
    assert line.get_xdata().tolist() == shown.tolist() and line.get_ydata().tolist() == counts.tolist()
    with pytest.raises(ValueError, match="points=0"):
        pictures.categories_over_presentations(model, X, Y, points=0)


def test_templates_of_letters_are_what_the_letters_share():
    model = ART1(rho=0.6).fit(PATTERNS)
    images = pictures.template_images(model, (3, 3))
    for label in np.unique(model.labels_):
        assert np.array_equal(images[label, 0].ravel(), PATTERNS[model.labels_ == label].min(axis=0))
    figure = pictures.templates(model, (3, 3))
    assert len(figure.axes) == model.n_categories_
    for axes in figure.axes:
        number, wins = axes.get_title().replace(" wins", "").split(": ")
        assert np.array_equal(axes.images[0].get_array(), images[int(number), 0])
        assert int(wins) == model.wins_[int(number)]
    with pytest.raises(ValueError, match="9 features"):
        pictures.templates(model, (3, 4))


def test_templates_of_boxes_have_two_corners_and_only_the_busiest_are_shown():
    model = FuzzyART(rho=0.9).fit(RNG.random((200, 6)))
    images = pictures.template_images(model, (2, 3))
    assert images.shape == (model.n_categories_, 2, 2, 3)
    assert np.array_equal(images.reshape(-1, 2, 6), model.boxes())
    figure = pictures.templates(model, (2, 3))
    assert model.n_categories_ > pictures.MOST_IMAGES and len(figure.axes) == 2 * pictures.MOST_IMAGES
    first = int(figure.axes[0].get_title().split(":")[0])
    assert model.wins_[first] == model.wins_.max()
    assert np.array_equal(figure.axes[1].images[0].get_array(), images[first, 1])


def test_an_empty_network_has_pictures_too():
    model = ART1().fit(np.zeros((2, 4)))
    assert pictures.template_images(model, (2, 2)).shape == (0, 1, 2, 2)
    assert len(pictures.templates(model, (2, 2)).axes) == 0


def test_votes_are_the_networks_own():
    model = VotingARTMAP(n_voters=5, random_state=0).fit(X, Y)
    xs, ys, places, shares = pictures.vote_agreement(model, ((0.1, 0.9), (0.2, 0.8)))
    assert (xs[0], xs[-1], ys[0], ys[-1]) == (0.1, 0.9, 0.2, 0.8)
    for row, column in ((0, 0), (80, 80), (20, 140), (160, 3)):
        votes = model.votes([[xs[column], ys[row]]])[0]
        assert places[row, column] == votes.argmax() and shares[row, column] == votes.max() / 5
    assert 0.4 < shares.min() < 1 == shares.max()
    figure = pictures.vote_regions(model, X, Y, names=["u", "v"])
    panel, bar = figure.axes
    mesh = panel.collections[0]
    assert mesh.get_array().shape == (pictures.GRID, pictures.GRID) and mesh.get_array().max() == 1
    assert bar.get_ylabel() == "share of votes for the winner" and panel.get_xlabel() == "u"
    assert {text.get_text() for text in panel.get_legend().get_texts()} == {"in", "out"}
    with pytest.raises(ValueError, match="3 features"):
        pictures.vote_regions(VotingARTMAP(n_voters=1).fit(np.eye(3), [0, 1, 0]), np.eye(3), [0, 1, 0])
