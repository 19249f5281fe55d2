"""What networks can do, what linear ones cannot, and where none can: `wengert apply approximation`."""

import numpy as np

from wengert.applications.approximation import beyond_the_data, curve, error_against_width, stack_and_matrix

width = error_against_width(quick=True)
for units, tansig, purelin in zip(width.widths, width.tansig[0], width.purelin[0], strict=True):
    print(f"{units:.0f} units: RMS error {tansig:.3f} with tansig, {purelin:.3f} with purelin")
print(f"the best line: {width.line:.3f}")

x = np.linspace(-2, 2, 200)[:, None]
difference, one = stack_and_matrix(x, curve(x[:, 0]))
print(f"four purelin layers and one {one.matrix.shape} matrix differ by at most {difference:.0e}")

beyond = beyond_the_data(quick=True)
print(f"trained on -2 to 2; asked from -4 to 4: {beyond.flagged.sum()} of {len(beyond.x)} answers extrapolate")
