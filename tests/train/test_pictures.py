"""Pictures: titled, labelled, told apart without colour, and written as PNG without pyplot."""

import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from wengert.train import pictures

X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], np.float32)
IMAGES = np.arange(3 * 64, dtype=np.float32).reshape(3, 8, 8)


def made() -> dict[str, Figure]:
    lines = {"training": [3.0, 1.0, 0.1], "validation": [3.0, 2.0, 0.2]}
    return {
        "curves": pictures.curves({"loss": lines, "accuracy": {"training": [0.1, 0.5, 0.9]}}, "Course"),
        "confusion": pictures.confusion(np.array([[5, 1], [0, 4]]), ["no", "yes"], "Confusion"),
        "decision": pictures.decision(
            lambda p: (p[:, 0] > 0.5).astype(int), X, np.array([0, 1, 0, 1]), ["a", "b"], ["u", "v"], "Surface"
        ),
        "fit": pictures.fit(np.sin, X[:, :1], X[:, 1:], ["x", "y"], "Fit"),
        "agreement": pictures.agreement(X[:, :1], X[:, 1:], "price", "Agreement"),
    }


@pytest.mark.parametrize("name", list(made()))
def test_title_and_labelled_axes(name: str, tmp_path: Path) -> None:
    figure = made()[name]
    assert figure.get_suptitle()
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    assert panels and all(axes.get_xlabel() and axes.get_ylabel() for axes in panels)
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    pictures.save(figure, first)
    pictures.save(made()[name], second)
    assert first.read_bytes().startswith(b"\x89PNG")
    assert first.read_bytes() == second.read_bytes()


def test_lines_and_points_differ_without_colour() -> None:
    figures = made()
    assert [line.get_linestyle() for line in figures["curves"].axes[0].lines] == ["-", "--"]
    assert figures["curves"].axes[0].get_yscale() == "log"  # 0.1 to 3 is more than a factor 20
    assert figures["curves"].axes[1].get_yscale() == "linear"
    assert [line.get_marker() for line in figures["decision"].axes[0].lines] == ["o", "s"]


def test_confusion_of_many_classes_stays_legible() -> None:
    names = [f"a class with a long name {place}" for place in range(45)]
    axes = pictures.confusion(np.eye(45, dtype=int), names, "Many").axes[0]
    assert len(axes.texts) == 0
    assert 20 <= len(axes.get_xticklabels()) <= 25
    assert all(len(label.get_text()) <= 16 for label in axes.get_xticklabels())


def test_mistakes_and_weights(tmp_path: Path) -> None:
    figure = pictures.mistakes(IMAGES, ["1", "2", "3"], ["7", "8", "9"], "Three")
    assert [axes.get_title() for axes in figure.axes] == [
        "true 1, read as 7",
        "true 2, read as 8",
        "true 3, read as 9",
    ]
    many = pictures.mistakes(np.zeros((40, 8, 8)), ["1"] * 40, ["2"] * 40, "Many")
    assert len(many.axes) == pictures.MOST_IMAGES
    none = pictures.mistakes(np.zeros((0, 8, 8)), [], [], "None")
    assert [text.get_text() for text in none.texts if text.get_text() != "None"] == ["There are none."]
    # The largest weight vectors first, on one scale around zero.
    shown = pictures.weights(IMAGES - 90, "Weights").axes[:3]
    assert [axes.get_title() for axes in shown] == ["unit 3", "unit 1", "unit 2"]
    limits = {axes.images[0].get_clim() for axes in shown}
    assert len(limits) == 1 and sum(limits.pop()) == 0
    pictures.save(none, tmp_path / "none.png")


def test_one_class_everywhere_and_equal_values(tmp_path: Path) -> None:
    def only_one(points: np.ndarray) -> np.ndarray:
        return np.zeros(len(points), int)

    x = np.ones((3, 2), np.float32)
    figure = pictures.decision(only_one, x, np.zeros(3, int), ["a", "b"], ["u", "v"], "One")
    pictures.save(figure, tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 1000


def test_pyplot_is_not_loaded() -> None:
    made()
    assert "matplotlib.pyplot" not in sys.modules
