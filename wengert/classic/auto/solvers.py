"""Two ways to train a small network on all rows at once, each best where the other is slow.

Levenberg-Marquardt solves a linear system in all parameters at every step: few steps, each of a cost that grows with
the square of their number. L-BFGS needs nothing but the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from ...record.buffers import Array
from ...train.progress import Silent
from .network import Task

WINDOW = 20  # steps over which progress is judged
MOST_PARAMETERS = 1000  # for Levenberg-Marquardt
MOST_WORK = 2e9  # multiplications of one of its steps

Told = Callable[[float], None]


class Solution(NamedTuple):
    """Where a training ended.

    v: the free parameters. cost: at the start and after every step.
    """

    v: Array
    costs: list[float]


def chosen(task: Task) -> str:
    """Return the name of the solver that suits the size of a task: "lm" or "lbfgs"."""
    parameters = task.shape.parameters
    work = task.target.size * float(len(task.places)) ** 2
    return "lm" if parameters <= MOST_PARAMETERS and work <= MOST_WORK else "lbfgs"


def stalled(costs: list[float], tol: float) -> bool:
    """Whether the last steps together lowered the cost by less than the share `tol`, or there is nothing left to lower.

    >>> stalled([1.0] * 21, 1e-4), stalled([1.0] * 20, 1e-4), stalled([1.0, 0.0], 1e-4)
    (True, False, True)
    """
    if costs[-1] <= np.finfo(float).tiny:
        return True
    return len(costs) > WINDOW and costs[-1 - WINDOW] - costs[-1] <= tol * costs[-1 - WINDOW]


def levenberg_marquardt(task: Task, v: Array, steps: int, tol: float, told: Told) -> Solution:
    """Minimise a task's cost by damped Gauss-Newton steps: solve (J'J + mu I) s = J'e, and go on from v - s.

    mu follows the ratio of what a step gained to what its linear model promised (H. B. Nielsen, Damping parameter in
    Marquardt's method, IMM, DTU, 1999); K. Levenberg 1944, D. Marquardt 1963.
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    cost = task.cost(v)
    costs, mu, factor = [cost], 0.0, 2.0
    while len(costs) <= steps and not stalled(costs, tol):
        A, g = task.normal_equations(v)
        diagonal = A.diagonal().copy()
        mu = mu or 1e-3 * max(float(diagonal.max()), 1e-12)
        for _ in range(40):
            A[np.diag_indices_from(A)] = diagonal + mu
            try:
                step = cho_solve(cho_factor(A, check_finite=False), g, check_finite=False)
                new = task.cost(v - step)
            except LinAlgError:
                new = np.inf
            if new < cost:
                gain = (cost - new) / float(step @ (mu * step + g))
                mu = max(mu * max(1 / 3, 1 - (2 * gain - 1) ** 3), 1e-15)
                factor = 2.0
                break
            mu *= factor
            factor *= 2
        else:  # no step lowers the cost: this is a minimum, as near as doubles can tell
            break
        v, cost = v - step, new
        costs.append(cost)
        told(cost)
    return Solution(v, costs)


def lbfgs(task: Task, v: Array, steps: int, tol: float, told: Told) -> Solution:
    """Minimise a task's cost by L-BFGS (D. C. Liu, J. Nocedal, Math. Programming 45:503, 1989; SciPy's)."""
    from scipy.optimize import OptimizeResult, minimize

    costs = [task.cost(v)]

    def after(intermediate_result: OptimizeResult) -> None:
        costs.append(float(intermediate_result.fun))
        told(costs[-1])
        if stalled(costs, tol):
            raise StopIteration

    settings = {"maxiter": steps, "maxfun": 4 * steps, "maxcor": 20, "ftol": 0.0, "gtol": 1e-12}
    found = minimize(task.cost_and_gradient, v, jac=True, method="L-BFGS-B", callback=after, options=settings)
    return Solution(np.asarray(found.x, np.float64), costs)


SOLVERS = {"lm": levenberg_marquardt, "lbfgs": lbfgs}


def trained(name: str, task: Task, starts: list[Array], steps: int, tol: float, progress: Silent) -> Solution:
    """Train from several starts for a sixth of the steps, and go on with the best, which is returned.

    Which start leads to a poor minimum shows early, so that the others cost little.
    """
    solve, first = SOLVERS[name], steps if len(starts) == 1 else -(-steps // 6)
    told = _Told(progress)
    with threadpool_limits(1, "blas"):  # its matrices are small, and its sums are to be the same everywhere
        best = min([solve(task, v, first, tol, told) for v in starts], key=_last)
        if first < steps and len(best.costs) > first and np.isfinite(best.costs[-1]):
            more = solve(task, best.v, steps - first, tol, told)
            best = Solution(more.v, [*best.costs, *more.costs[1:]])
    return best


def total(starts: int, steps: int) -> int:
    """Return how many steps `trained` makes at most."""
    return steps if starts == 1 else (starts - 1) * -(-steps // 6) + steps


def _last(solution: Solution) -> float:
    return solution.costs[-1] if np.isfinite(solution.costs[-1]) else np.inf


class _Told:
    """Passes the cost after each step on to whoever shows progress."""

    def __init__(self, progress: Silent):
        self.progress, self.steps = progress, 0

    def __call__(self, cost: float) -> None:
        self.steps += 1
        self.progress.epoch({"epoch": self.steps, "loss": cost})
