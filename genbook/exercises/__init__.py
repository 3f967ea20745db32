"""Exercises of each chapter: checks, reference solutions, typical wrong answers."""
