"""Optimizers against the published formulas, written out in NumPy, and what they refuse."""

import numpy as np
import pytest

import wengert as w
from wengert import optim
from wengert.errors import ArgumentError, GradientError, ShapeError

RNG = np.random.default_rng(11)
START = [RNG.normal(size=(3, 2)), RNG.normal(size=4)]
A = RNG.normal(size=(3, 2))
STEPS = 25


def gradients(params):
    """Of sum(a * x^2) + sum(cos(x)), by hand."""
    return [2 * A * params[0], -np.sin(params[1])]


def trained(make, rate=None):
    params = [w.tensor(x, requires_grad=True) for x in START]
    optimizer = make(params)
    for t in range(STEPS):
        if rate is not None:
            optimizer.lr = rate(t)
        loss = (A * params[0] ** 2).sum() + w.cos(params[1]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [x.detach().numpy() for x in params]


def close(got, expected):
    for mine, truth in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, truth, rtol=1e-12, atol=1e-14)


def test_gradient_descent():
    params = [x.copy() for x in START]
    for _ in range(STEPS):
        params = [x - 0.05 * g for x, g in zip(params, gradients(params), strict=True)]
    close(trained(lambda p: optim.SGD(p, lr=0.05)), params)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_momentum(nesterov, decay):
    params, velocity = [x.copy() for x in START], [0 * x for x in START]
    for _ in range(STEPS):
        for i, g in enumerate(gradients(params)):
            g = g + decay * params[i]
            velocity[i] = 0.9 * velocity[i] + g
            params[i] = params[i] - 0.02 * (g + 0.9 * velocity[i] if nesterov else velocity[i])
    close(trained(lambda p: optim.SGD(p, 0.02, momentum=0.9, nesterov=nesterov, weight_decay=decay)), params)


def adam(lr, b1=0.9, b2=0.999, eps=1e-8, decay=0.0):
    params, m, v = [x.copy() for x in START], [0 * x for x in START], [0 * x for x in START]
    for t in range(1, STEPS + 1):
        rate = lr(t - 1) if callable(lr) else lr
        for i, g in enumerate(gradients(params)):
            m[i] = b1 * m[i] + (1 - b1) * g
            v[i] = b2 * v[i] + (1 - b2) * g**2
            m_hat, v_hat = m[i] / (1 - b1**t), v[i] / (1 - b2**t)
            params[i] = params[i] - rate * (m_hat / (np.sqrt(v_hat) + eps) + decay * params[i])
    return params


def test_adam():
    close(trained(lambda p: optim.Adam(p, lr=0.03)), adam(0.03))
    close(trained(lambda p: optim.Adam(p, lr=0.03, betas=(0.8, 0.9), eps=1e-3)), adam(0.03, 0.8, 0.9, eps=1e-3))


def test_adamw():
    close(trained(lambda p: optim.AdamW(p, lr=0.03, weight_decay=0.2)), adam(0.03, decay=0.2))


def test_lr_may_change_between_steps():
    def rate(t):
        return 0.05 / (1 + t)

    close(trained(lambda p: optim.Adam(p, lr=1.0), rate), adam(rate))


def test_first_adam_step_is_lr_in_size():
    x = w.tensor([1.0, -3.0], requires_grad=True, dtype=w.float64)
    optimizer = optim.Adam([x], lr=0.1)
    (x * x).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(x.detach().numpy(), [0.9, -2.9], rtol=1e-7)


def test_dtype_is_kept():
    x = w.tensor([1.0], requires_grad=True)
    for make in (lambda p: optim.SGD(p, 0.1, momentum=0.5, weight_decay=0.1), optim.Adam, optim.AdamW):
        optimizer = make([x])
        (x * x).sum().backward()
        optimizer.step()
        assert x.dtype == w.float32
        assert all(v.dtype == np.float32 for k, v in optimizer.state_dict().items() if "." in k)


def test_parameters_stay_leaves_and_old_lists_are_spent():
    x = w.tensor([2.0], requires_grad=True)
    optimizer = optim.SGD([x], lr=0.1)
    loss = (x * x).sum()
    loss.backward()
    optimizer.step()
    assert x.is_leaf and x.requires_grad and loss.item() == 4
    with pytest.raises(GradientError, match=r"spent by step\(\) at test_optimizers.py"):
        loss.backward()


def test_zero_grad_before_execution():
    x = w.tensor([2.0], requires_grad=True)
    optimizer = optim.SGD([x], lr=0.25)
    (x * x).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    assert x.grad is None and x.tolist() == [1.0]


def test_parameters_without_gradient_are_skipped():
    x, other = (w.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = optim.Adam([x, other], lr=0.5)
    x.sum().backward()
    optimizer.step()
    assert other.tolist() == [1.0] and optimizer.steps == [1, 0] and x.tolist() != [1.0]


def test_one_warning_when_no_parameter_has_a_gradient():
    optimizer = optim.SGD([w.tensor([1.0], requires_grad=True)], lr=0.1)
    with pytest.warns(UserWarning, match=r"no parameter has a gradient, so nothing changes") as caught:
        optimizer.step()
        optimizer.step()
    assert len(caught) == 1 and caught[0].filename == __file__


@pytest.mark.parametrize("kind", ["momentum", "adam"])
def test_state_continues_bit_by_bit(kind):
    def make(p):
        return optim.SGD(p, 0.02, momentum=0.9) if kind == "momentum" else optim.Adam(p, lr=0.03)

    def advance(x, optimizer, n):
        for _ in range(n):
            optimizer.zero_grad()
            w.cos(x).sum().backward()
            optimizer.step()

    x = w.tensor([0.3, 2.0], requires_grad=True)
    optimizer = make([x])
    advance(x, optimizer, 3)
    values, state = x.detach().numpy(), optimizer.state_dict()
    advance(x, optimizer, 4)
    again = w.tensor(values, requires_grad=True)
    resumed = make([again])
    resumed.load_state_dict(state)
    advance(again, resumed, 4)
    assert again.tolist() == x.tolist()


def test_loading_refuses_a_foreign_state():
    x = w.tensor([1.0], requires_grad=True)
    optimizer = optim.Adam([x])
    x.sum().backward()
    optimizer.step()
    state = optimizer.state_dict()
    assert set(state) == {"lr", "steps", "m.0", "v.0"}
    for wrong in ({}, {**state, "velocity.0": [0.0]}, {**state, "m.7": [0.0]}, {**state, "steps": [1, 1]}):
        with pytest.raises(ArgumentError, match="does not belong to Adam over 1 parameters"):
            optimizer.load_state_dict(wrong)
    with pytest.raises(ShapeError, match=r"m.0 has shape \(3,\) and its parameter \(1,\)"):
        optimizer.load_state_dict({**state, "m.0": np.zeros(3)})
    assert optimizer.state_dict()["m.0"].tolist() == state["m.0"].tolist()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda x: optim.SGD([], 0.1), "there are no parameters"),
        (lambda x: optim.SGD(x, 0.1), "params is one tensor"),
        (lambda x: optim.SGD([x, x], 0.1), "the same parameter is given twice"),
        (lambda x: optim.SGD([x * 2], 0.1), r"params\[0\] is no parameter"),
        (lambda x: optim.SGD([3.0], 0.1), r"params\[0\] is no parameter"),
        (lambda x: optim.SGD([w.tensor([1])], 0.1), r"params\[0\] is no parameter"),
        (lambda x: optim.SGD([x], 0.0), "lr = 0.0 must be positive"),
        (lambda x: optim.Adam([x], float("nan")), "lr = nan must be positive"),
        (lambda x: optim.Adam([x], float("inf")), "lr = inf must be positive"),
        (lambda x: optim.SGD([x], 0.1, momentum=1.0), "momentum = 1.0 must be"),
        (lambda x: optim.SGD([x], 0.1, weight_decay=-1.0), "weight_decay = -1.0 must be 0 or more"),
        (lambda x: optim.SGD([x], 0.1, nesterov=True), "nesterov needs momentum"),
        (lambda x: optim.Adam([x], betas=(0.9, 1.0)), r"betas\[1\] = 1.0 must be"),
        (lambda x: optim.Adam([x], eps=0.0), "eps = 0.0 must be positive"),
        (lambda x: optim.AdamW([x], weight_decay=-0.1), "weight_decay = -0.1"),
    ],
)
def test_refusals(make, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        make(w.tensor([1.0], requires_grad=True))


def test_an_optimizer_of_ones_own_needs_an_update():
    x = w.tensor([1.0], requires_grad=True)
    x.sum().backward()
    with pytest.raises(ArgumentError, match="Optimizer gives no update"):
        optim.Optimizer([x], 0.1).step()


def test_repr():
    assert repr(optim.Adam([w.tensor([1.0], requires_grad=True)], lr=0.01)) == "Adam(1 parameters, lr=0.01)"


def test_cosine():
    schedule = optim.cosine(2.0, 10, warmup=2, final=0.5)
    assert [schedule(0), schedule(1), schedule(2), schedule(10), schedule(99)] == [1.0, 2.0, 2.0, 0.5, 0.5]
    assert schedule(6) == pytest.approx(1.25, rel=1e-12)
    for wrong in ({"lr": 0, "steps": 5}, {"lr": 1, "steps": 0}, {"lr": 1, "steps": 5, "warmup": 5}):
        with pytest.raises(ArgumentError, match="cosine: lr"):
            optim.cosine(**wrong)
