"""Spoken vowels by people who were not heard in training: the published split. `wengert apply vowels`."""

from wengert.applications.network import MLPClassifier
from wengert.datasets import load_vowels, vowel_speakers

vowels, heard = load_vowels(), vowel_speakers() < 8
network = MLPClassifier(hidden=(22,), epochs=60, decay=0.3, members=5, random_state=0)
network.fit(vowels.x[heard], vowels.y[heard])
for name, rows in (("speakers heard", heard), ("other speakers", ~heard)):
    print(f"{name}: {network.score(vowels.x[rows], vowels.y[rows]):.1%} of {rows.sum()} vowels")
