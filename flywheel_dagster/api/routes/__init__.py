"""The routes, a file a subject. A route reads its request, calls one function and answers; what it answers is in `answers.py` beside it."""
