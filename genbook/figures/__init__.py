"""Drawings of each chapter: functions from numbers to matplotlib figures."""
