"""Pictures of maps: the numbers in a figure are those of the arrays it was made from."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from wengert.classic.som import pictures, planes
from wengert.classic.som.lattice import HEIGHT, Lattice
from wengert.classic.som.quality import Map
from wengert.errors import ArgumentError
from wengert.train.pictures import save

LATTICES = [Lattice(4, 5, bool(h), bool(t)) for h in (0, 1) for t in (0, 1)]
ids = ["rect", "rect-torus", "hex", "hex-torus"]


def example(lattice, seed=0):
    rng = np.random.default_rng(seed)
    return Map(rng.normal(size=(lattice.units, 3)), lattice), rng.normal(size=(50, 3))


def cells(figure, axes=0):
    (found,) = [each for each in figure.axes[axes].collections if isinstance(each, PolyCollection)]
    return found


def area(corners):
    x, y = corners.T
    return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2


@pytest.mark.parametrize("lattice", LATTICES, ids=ids)
@pytest.mark.parametrize("spacing", [0.5, 1.0])
def test_cells_fill_the_plane(lattice, spacing):
    """Each has the area of one point of the lattice, and neighbours share two corners."""
    corners = pictures.cells(lattice.positions * spacing, lattice, spacing)
    assert corners.shape == (20, 6 if lattice.hexagonal else 4, 2)
    expected = spacing**2 * (HEIGHT if lattice.hexagonal else 1.0)
    np.testing.assert_allclose([area(each) for each in corners], expected, rtol=1e-12)
    flat = Lattice(lattice.rows, lattice.columns, lattice.hexagonal)
    for unit, near in enumerate(flat.neighbours()):
        for other in near:
            gaps = np.linalg.norm(corners[unit][:, None] - corners[other][None], axis=2)
            assert (gaps < 1e-9).sum() == 2


@pytest.mark.parametrize("lattice", LATTICES, ids=ids)
@pytest.mark.parametrize("full", [True, False])
def test_u_matrix(lattice, full):
    som, _ = example(lattice)
    figure = pictures.u_matrix(som, full=full, average="mean")
    data = planes.u_matrix(som, full=full, average="mean")
    np.testing.assert_array_equal(cells(figure).get_array(), data.values.ravel())
    centres = np.array([path.vertices[:-1].mean(axis=0) for path in cells(figure).get_paths()])
    np.testing.assert_allclose(centres, data.positions, atol=1e-12)
    axes = figure.axes[0]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # row 0 on top
    assert axes.get_xlabel() == ("column (closed)" if lattice.torus else "column")
    assert figure.axes[1].get_ylabel() == "distance to neighbours"


def test_component_planes():
    som, _ = example(LATTICES[2])
    figure = pictures.component_planes(som, ["a", "b", "c"])
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["a", "b", "c"]
    for k, axes in enumerate(panels):
        np.testing.assert_array_equal(axes.collections[0].get_array(), som.weights_[:, k])
    som.feature_names_in_ = np.array(["x", "y", "z"], object)
    assert pictures.component_planes(som).axes[0].get_title() == "x"
    with pytest.raises(ArgumentError, match="2 names were given for 3 features"):
        pictures.component_planes(som, ["a", "b"])
    unnamed = pictures.component_planes(example(LATTICES[0])[0])
    assert [axes.get_title() for axes in unnamed.axes if axes.get_title()] == ["feature 0", "feature 1", "feature 2"]


@pytest.mark.parametrize("lattice", LATTICES, ids=ids)
def test_hits(lattice):
    som, X = example(lattice)
    figure = pictures.hits(som, X)
    counts = planes.hits(som, X).ravel()
    np.testing.assert_array_equal(cells(figure).get_array(), counts)
    texts = {tuple(np.round(text.get_position(), 9)): int(text.get_text()) for text in figure.axes[0].texts}
    where = map(tuple, lattice.positions.round(9))
    assert texts == {place: count for place, count in zip(where, counts, strict=True) if count}
    assert figure.axes[1].get_ylabel() == "rows"
    assert pictures.hits(som, X, np.full(50, 0.5)).axes[1].get_ylabel() == "weight"


def test_labels():
    som, X = example(LATTICES[2])
    y = np.array(["one", "two", "three"])[np.arange(50) % 3]
    figure = pictures.labels(som, X, y)
    data = planes.label_map(som, X, y)
    faces = cells(figure).get_facecolors()
    labels, purity = data.labels.ravel(), data.purity.ravel()
    assert (labels < 0).any()
    assert (faces[labels < 0] == 1).all()
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == data.classes.tolist()
    colours = np.array([patch.get_facecolor()[:3] for patch in legend.get_patches()])
    taken = labels >= 0
    paler = 1 - purity[taken, None] * (1 - colours[labels[taken]])
    np.testing.assert_allclose(faces[taken, :3], paler, atol=1e-12)
    assert len(figure.axes[0].texts) == (labels >= 0).sum()


@pytest.mark.parametrize("lattice", LATTICES, ids=ids)
def test_map_in_the_plane_of_two_features(lattice):
    som, X = example(lattice)
    X[3, 2] = np.nan
    found = pictures.projection(som, X, (2, 0))
    np.testing.assert_array_equal(found.nodes[0], som.weights_[:, [2, 0]])
    assert found.points[3, 0] == pytest.approx(np.nanmean(X[:, 2]))
    assert len(found.edges) == sum(map(len, lattice.neighbours())) // 2
    assert found.names == ("feature 2", "feature 0")
    figure = pictures.data_space(som, X, features=(2, 0))
    (lines,) = [each for each in figure.axes[0].collections if isinstance(each, LineCollection)]
    np.testing.assert_array_equal(np.array(lines.get_segments()), som.weights_[:, [2, 0]][found.edges])
    assert figure.axes[0].get_xlabel() == "feature 2"
    by_class = pictures.data_space(som, X, np.arange(50) % 2, (2, 0)).axes[0]
    assert [text.get_text() for text in by_class.get_legend().get_texts()] == ["0", "1", "units"]


def test_map_in_the_plane_of_principal_components():
    som, X = example(LATTICES[2])
    X = X * [1.0, 5.0, 2.0] + 7
    found = pictures.projection(som, X)
    values = np.linalg.eigvalsh(np.cov(X.T, ddof=0))[::-1]
    np.testing.assert_allclose(found.points.var(axis=0), values[:2], rtol=1e-10)
    np.testing.assert_allclose(found.points.mean(axis=0), 0, atol=1e-10)
    for flip in (1, -1):  # a direction's largest entry is positive, whatever the solver's sign
        points = pictures.projection(som, X * [1, flip, 1]).points
        assert np.corrcoef(points[:, 0], flip * X[:, 1])[0, 1] > 0.9
    gaps = np.linalg.norm(found.nodes[0][:, None] - found.nodes[0], axis=2)
    assert (gaps <= np.linalg.norm(som.weights_[:, None] - som.weights_, axis=2) + 1e-9).all()
    line = pictures.projection(Map([[0.0], [1.0]], Lattice(1, 2)), [[0.0], [4.0]])
    assert line.points.tolist() == [[-2.0, 0.0], [2.0, 0.0]]


def test_replay():
    som, X = example(LATTICES[0])
    with pytest.raises(ArgumentError, match="fit it with record=True"):
        pictures.replay(som, X)
    history = np.random.default_rng(1).normal(size=(3, 20, 3))
    som.history_ = {"weights": history}
    found = pictures.projection(som, X, (0, 1), history=True)
    np.testing.assert_array_equal(found.nodes, history[:, :, :2])
    figures = pictures.replay(som, X, features=(0, 1))
    assert [figure.get_suptitle() for figure in figures] == ["Start", "Epoch 1", "Epoch 2"]
    for figure, nodes in zip(figures, found.nodes, strict=True):
        np.testing.assert_array_equal(figure.axes[0].lines[-1].get_xydata(), nodes)
        assert figure.axes[0].get_xlim() == figures[0].axes[0].get_xlim()


def test_tradeoff():
    curve = {
        "radius": np.array([0.2, 1]),
        "quantization_error": np.array([1.0, 2]),
        "topographic_error": np.array([0.3, 0]),
    }
    figure = pictures.tradeoff({"ours": curve, "theirs": {k: v * 2 for k, v in curve.items()}})
    pairs = [("final radius", "quantization error"), ("final radius", "topographic error")]
    pairs.append(("quantization error", "topographic error"))
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes] == pairs
    np.testing.assert_array_equal(figure.axes[2].lines[1].get_xydata(), [[2, 0.6], [4, 0]])


def test_all_can_be_rendered(tmp_path):
    som, X = example(LATTICES[3])
    y = np.arange(50) % 3
    som.history_ = {"weights": som.weights_[None]}
    figures = [
        pictures.u_matrix(som),
        pictures.component_planes(som),
        pictures.hits(som, X),
        pictures.labels(som, X, y),
        pictures.data_space(som, X, y),
        *pictures.replay(som, X),
    ]
    for figure in figures:
        assert isinstance(figure, Figure)
        save(figure, tmp_path / "map.png")
        assert (tmp_path / "map.png").stat().st_size > 5000
    single = Map([[1.0, 2.0]], Lattice(1, 1))
    for figure in (pictures.u_matrix(single), pictures.hits(single, X[:, :2]), pictures.data_space(single, X[:, :2])):
        save(figure, tmp_path / "single.png")


def test_bad_features_get_a_sentence():
    som, X = example(LATTICES[0])
    with pytest.raises(ArgumentError, match=r"features=\(0, 3\) was given; pass two of 0 to 2"):
        pictures.data_space(som, X, features=(0, 3))
