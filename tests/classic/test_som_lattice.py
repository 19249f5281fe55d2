"""Lattices against geometry done by hand: places in the plane, distances by copies of the torus, steps by search."""

import itertools

import numpy as np
import pytest

from wengert.classic.som import Lattice
from wengert.errors import ArgumentError

SHAPES = [(1, 1), (1, 5), (4, 1), (2, 2), (2, 3), (4, 5), (6, 3), (5, 4)]
FORMS = [(hexagonal, torus) for hexagonal in (False, True) for torus in (False, True)]
CASES = [(*shape, *form) for shape in SHAPES for form in FORMS if not (all(form) and shape[0] % 2)]


def _plane(lattice):
    height = np.sqrt(3) / 2 if lattice.hexagonal else 1.0
    shift = 0.5 if lattice.hexagonal else 0.0
    return np.array([(c + shift * (r % 2), r * height) for r in range(lattice.rows) for c in range(lattice.columns)])


def _copies(lattice):
    """Return the plane's points and their copies one period away in each direction, as many arrays."""
    points = _plane(lattice)
    if not lattice.torus:
        return [points]
    height = np.sqrt(3) / 2 if lattice.hexagonal else 1.0
    period = np.array([lattice.columns, lattice.rows * height])
    return [points + np.array(turn) * period for turn in itertools.product((-1, 0, 1), repeat=2)]


@pytest.mark.parametrize("case", CASES)
def test_positions_and_distances(case):
    lattice = Lattice(*case)
    points = _plane(lattice)
    expected = np.min([np.linalg.norm(points[:, None] - copy, axis=2) for copy in _copies(lattice)], axis=0)
    np.testing.assert_allclose(lattice.positions, points, atol=1e-14)
    np.testing.assert_allclose(lattice.distances(), expected, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_neighbours_are_the_units_beside(case):
    lattice = Lattice(*case)
    points = _plane(lattice)
    apart = np.min([np.linalg.norm(points[:, None] - copy, axis=2) for copy in _copies(lattice)], axis=0)
    for kind, reach in ((6, 1.01),) if lattice.hexagonal else ((4, 1.01), (8, 1.42)):
        near = (apart < reach) & ~np.eye(lattice.units, dtype=bool)
        assert [unit.tolist() for unit in lattice.neighbours(kind)] == [np.flatnonzero(row).tolist() for row in near]


@pytest.mark.parametrize("case", CASES)
def test_link_distances_are_the_fewest_steps(case):
    lattice = Lattice(*case)
    for kind in (6,) if lattice.hexagonal else (4, 8):
        near = lattice.neighbours(kind)
        found = lattice.link_distances(kind)
        for begin in range(lattice.units):
            steps, edge = {begin: 0}, [begin]
            for unit in edge:
                for other in near[unit]:
                    if int(other) not in steps:
                        steps[int(other)] = steps[unit] + 1
                        edge.append(int(other))
            assert [steps[unit] for unit in range(lattice.units)] == found[begin].tolist()


def test_refused():
    with pytest.raises(ArgumentError, match="closes only with an even number of rows"):
        Lattice(5, 4, hexagonal=True, torus=True)
    with pytest.raises(ArgumentError, match="at least one of each"):
        Lattice(0, 4)
    with pytest.raises(ArgumentError, match="a square lattice has 4 or 8 neighbours"):
        Lattice(3, 3).neighbours(6)
    with pytest.raises(ArgumentError, match="a hexagonal lattice has 6 neighbours"):
        Lattice(3, 3, hexagonal=True).link_distances(4)
