"""Reads a reply by rules: lists of phrases a language (phrases/*.txt), found in its sentences, and weighed by the conventions' order."""
