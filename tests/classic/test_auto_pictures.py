"""Pictures of auto-associative networks: the numbers in them, not their pixels."""

import numpy as np
import pytest

from wengert.classic import AutoAssociator, SensorValidator
from wengert.classic.auto import pictures
from wengert.errors import ArgumentError


@pytest.fixture(scope="module")
def rows():
    t = np.random.default_rng(0).uniform(-1, 1, (120, 1))
    return np.hstack([t, t**2, np.sin(2 * t), t**3])


@pytest.fixture(scope="module")
def model(rows):
    return AutoAssociator(2, (5,), random_state=0, epochs=40).fit(rows)


def test_reconstruction_shows_answers_over_inputs(model, rows):
    figure = pictures.reconstruction(model, rows)
    assert len(figure.axes) == 4
    for j, axes in enumerate(figure.axes):
        drawn = axes.lines[1].get_xydata()
        np.testing.assert_allclose(drawn, np.column_stack([rows[:, j], model.reconstruct(rows)[:, j]]))
        assert axes.get_xlabel() == f"x{j}" and axes.get_ylabel() == "answer"


def test_reconstruction_of_images_shows_them_above_the_answers(model, rows):
    figure = pictures.reconstruction(model, rows, image=(2, 2))
    assert len(figure.axes) == 20
    np.testing.assert_allclose(figure.axes[3].images[0].get_array(), rows[3].reshape(2, 2))
    np.testing.assert_allclose(figure.axes[13].images[0].get_array(), model.reconstruct(rows)[3].reshape(2, 2))
    assert figure.axes[0].get_ylabel() == "input" and figure.axes[10].get_ylabel() == "answer"
    with pytest.raises(ArgumentError, match=r"image=\(3, 3\) for rows of 4 features"):
        pictures.reconstruction(model, rows, image=(3, 3))


def test_code_sizes_are_measured_on_held_out_rows(rows):
    settings = AutoAssociator(1, (), random_state=0)
    found = pictures.code_sizes(settings, rows[:80], rows[80:], [1, 2, 3])
    np.testing.assert_allclose(found.network, found.principal, rtol=2e-2)  # a linear network
    mean, spread = rows[:80].mean(axis=0), rows[:80].std(axis=0)
    x, held = (rows[:80] - mean) / spread, (rows[80:] - mean) / spread
    for k, error in zip(found.sizes, found.principal, strict=True):
        axes = np.linalg.svd(x)[2][:k]
        assert error == pytest.approx(np.sqrt(np.square(held - held @ axes.T @ axes).mean()), rel=1e-9)
    figure = pictures.code_size_curves(found)
    network, principal = figure.axes[0].lines
    np.testing.assert_array_equal(network.get_xydata(), np.column_stack([found.sizes, found.network]))
    np.testing.assert_array_equal(principal.get_ydata(), found.principal)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["network", "principal components"]


def test_codes_are_shown_with_their_labels(model, rows):
    labels = np.where(rows[:, 0] > 0, "right", "left")
    figure = pictures.codes(model, rows, labels)
    points = figure.axes[0].collections[0]
    np.testing.assert_allclose(points.get_offsets(), model.compress(rows))
    np.testing.assert_array_equal(points.get_array(), labels == "right")
    assert [text.get_text() for text in figure.axes[1].get_yticklabels()] == ["left", "right"]
    single = AutoAssociator(1, (), random_state=0).fit(rows)
    drawn = pictures.codes(single, rows).axes[0]
    np.testing.assert_allclose(drawn.collections[0].get_offsets()[:, 1], single.compress(rows)[:, 0])
    assert drawn.get_xlabel() == "row"


def test_residuals_and_contributions_are_shown_with_their_limits(rows):
    validator = SensorValidator(AutoAssociator(1, (6,), epochs=60), random_state=0).fit(rows)
    new = rows[:30].copy()
    new[7, 2] += 3
    axes = pictures.residual_chart(validator, new).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), validator.squared_errors(new))
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), np.flatnonzero(validator.detect(new)))
    assert axes.lines[2].get_ydata()[0] == validator.limit_ and 7 in axes.lines[1].get_xdata()
    first, second = pictures.contribution_bars(validator, new[7]).axes
    np.testing.assert_allclose([bar.get_height() for bar in first.patches], validator.contributions(new[7:8])[0])
    left = validator.substitute(new[7:8]).errors[0]
    np.testing.assert_allclose([bar.get_height() for bar in second.patches], left)
    colours = [bar.get_facecolor() for bar in second.patches]
    assert colours.count(colours[int(left.argmin())]) == 1
    limits = [segment[0][1] for segment in first.collections[0].get_segments()]
    np.testing.assert_allclose(limits, validator.sensor_limits_)
