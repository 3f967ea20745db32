r"""Adversarial examples: fooled by a sign.

``attacks``
    Small changes of an input that raise a loss: one signed step, many, noise for comparison.
``linear``
    Linear classifiers, whose worst change is known exactly.
``networks``
    Classifiers of ten digits, trained on clean images or on attacked ones.
``studies``
    The recorded comparison over five seeds.
"""

from __future__ import annotations

from genbook.adversarial.attacks import corners, many_steps, random_signs, sign_step, slope
from genbook.adversarial.linear import Linear, error_after, fitted, least_lead, of_digits
from genbook.adversarial.networks import Classifier, Score, score, train
from genbook.adversarial.studies import attacked, record, trained

__all__ = [
    "Classifier",
    "Linear",
    "Score",
    "attacked",
    "corners",
    "error_after",
    "fitted",
    "least_lead",
    "many_steps",
    "of_digits",
    "random_signs",
    "record",
    "score",
    "sign_step",
    "slope",
    "train",
    "trained",
]
