"""The numbers in the pictures of radial networks."""

import numpy as np
import pytest

from wengert.classic import GRNN, PNN, RBFNetwork
from wengert.classic.radial import pictures
from wengert.errors import ArgumentError
from wengert.train.pictures import save


def plane(n=60):
    random = np.random.default_rng(0)
    x = random.normal(size=(n, 2))
    return x, np.sin(2 * x[:, 0]), np.where(x[:, 0] > 0, "right", "left")


def test_circles_are_where_units_answer_one_half():
    x, y, _ = plane()
    model = RBFNetwork("kmeans", units=6, random_state=0).fit(x, y)
    figure = pictures.field(model, x)
    circles = figure.axes[0].patches
    assert len(circles) == 6
    centers = model.centers_.tolist()
    for circle in circles:
        unit = centers.index(list(circle.center))
        on = np.array([[circle.center[0] + circle.radius, circle.center[1]]])
        np.testing.assert_allclose(model.activation(on)[0, unit], 0.5, rtol=1e-9)
    np.testing.assert_array_equal(figure.axes[0].lines[1].get_xydata(), model.centers_)


def test_parts_add_up_to_the_prediction():
    x = np.linspace(-3, 3, 40)[:, None]
    model = RBFNetwork(units=5, spread=1.0).fit(x, np.sin(2 * x[:, 0]))
    data = pictures.basis_data(model, x)
    np.testing.assert_allclose(data.total, model.predict(x), atol=1e-12)
    np.testing.assert_allclose(data.parts.sum(axis=1) + data.bias, data.total)
    lines = pictures.basis(model, x, np.sin(2 * x[:, 0])).axes[0].lines
    assert len(lines) == 5 + 3
    np.testing.assert_allclose(lines[5].get_ydata(), model.predict(lines[5].get_xdata()[:, None]), atol=1e-12)
    shown = np.isfinite(lines[6].get_ydata())
    np.testing.assert_array_equal(shown, ~model.extrapolates(lines[6].get_xdata()[:, None]))


def test_the_curve_over_width_is_the_history(tmp_path):
    x, y, _ = plane()
    model = RBFNetwork("grow", units=12, spread=1.0).fit(x, y)
    figure = pictures.width(model)
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), model.history_["error"])
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), np.arange(13))
    assert figure.axes[0].lines[2].get_xdata()[0] == 12
    save(figure, tmp_path / "width.png")
    assert (tmp_path / "width.png").stat().st_size > 5000


def test_the_curve_over_spread_is_the_search():
    x, y, _ = plane()
    model = GRNN().fit(x, y)
    lines = pictures.spread(model).axes[0].lines
    np.testing.assert_array_equal(lines[0].get_xdata(), model.search_["spread"])
    assert lines[1].get_xdata()[0] == model.spread_
    with pytest.raises(ArgumentError, match="no spread was sought"):
        pictures.spread(GRNN(spread=1.0).fit(x, y))


def test_regions_are_the_predictions():
    x, _, y = plane()
    model = PNN().fit(x, y)
    data = pictures.regions_data(model, x)
    at = np.stack([data.first.ravel(), data.second.ravel()], axis=1)[::97]
    np.testing.assert_array_equal(model.classes_[data.classes.ravel()[::97]], model.predict(at))
    np.testing.assert_array_equal(data.nearest.ravel()[::97], model.nearest(at))
    figure = pictures.regions(model, x, y)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["left", "right"]
    drawn = len(figure.axes[0].collections)
    model.reach_ = 1e9  # nothing is beyond: no dashed border
    assert len(pictures.regions(model, x, y).axes[0].collections) == drawn - 1


def test_pictures_of_other_dimensions_are_refused():
    x, y, _ = plane()
    model = RBFNetwork(units=3, spread=1.0).fit(x[:, :1], y)
    with pytest.raises(ArgumentError, match="needs 2 features, and the model was fitted on 1"):
        pictures.field(model, x)
    with pytest.raises(ArgumentError, match="needs 1 feature, and"):
        pictures.basis_data(RBFNetwork(units=3, spread=1.0).fit(x, y), x)
