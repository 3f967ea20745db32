"""The book's colours: each has one meaning everywhere."""

DATA = "#0072B2"
MODEL = "#D55E00"
CRITIC = "#009070"
GRADIENT = "#CC6FA4"
MUTED = "#767676"
INK = "#010203"
SERIES = ("#5B4FC4", "#8A7000", "#1B7F9E", "#A5402D", "#5E6B73")
"""Colours without a fixed meaning, for curves that are neither data, model, critic nor gradient."""
