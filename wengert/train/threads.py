"""Threads of the BLAS under NumPy while a network trains: one, because a mini-batch is too small to share.

With two threads that wait for each other after every product of a 128 x 64 batch, a training takes two to eight
times as long (more when another program runs). This goes when the library has a matmul of its own.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any


def one_blas_thread() -> AbstractContextManager[Any]:
    """Limit BLAS to one thread inside; outside, the setting is as it was."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="blas")
    return limits
