"""Radial basis networks: units that answer to the neighbourhood of a centre.

`kernels` measures distances and adds responses up, `growth` is the least squares that grows by a column, `spreads`
finds widths by leaving rows out; `network` is `RBFNetwork`, with its ways to choose centres in `methods` and `trained`,
`parzen` holds `GRNN` and `PNN`, and `pictures` draws them.
"""

from .network import RBFNetwork
from .parzen import GRNN, PNN

__all__ = ["GRNN", "PNN", "RBFNetwork"]
