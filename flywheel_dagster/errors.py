"""The one tree of errors. Each message says what happened, to what, and what to do; the command line prints it without a traceback."""


class FlywheelError(Exception):
    """Something a person can mend. The message is one line with the remedy."""


class SettingsError(FlywheelError):
    """A setting is missing or wrong."""


class DatabaseError(FlywheelError):
    """The database can't be reached, or isn't in the state this code needs."""


class MigrationError(DatabaseError):
    """A migration was edited after it ran, is unknown to this checkout, or failed."""


class SandboxError(FlywheelError):
    """The embedded PostgreSQL or the local model server can't start or stop."""


class WorkerError(FlywheelError):
    """A child process ended before its work did."""


class InputError(FlywheelError):
    """A file, row or argument that a user gave can't be used."""


class DeploymentError(InputError):
    """The rules of who serves refuse a change: no control would be left, the shares wouldn't add up, the version failed."""


class UnknownModelError(InputError):
    """No registered model has the id."""


class BudgetError(InputError):
    """Training would cost more than the budget allows, or nobody knows what; nothing was sent."""


class TransientError(FlywheelError):
    """What may pass by itself. `retry_after`: the seconds that a provider wants to be left alone, where it said so."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TrainingError(FlywheelError):
    """A trainer refused, failed or gave up; nothing was registered."""


class TransientTrainingError(TransientError, TrainingError):
    """The provider may accept the same call later (408, 429, 5xx, a lost connection)."""


class PermanentTrainingError(TrainingError):
    """Calling again won't help: a failed job, a wrong key, a refused file."""


class UnansweredError(TransientTrainingError):
    """The provider's own answer is not known (a lost connection, a 5xx from anywhere on the way): the call may have taken effect."""


class UnknownJobError(PermanentTrainingError):
    """The provider knows no such job: it was deleted there, or another account bought it."""


class ModelError(FlywheelError):
    """A language model can't be asked: not its answer is wrong, but the account, the key, the batch or the connection."""


class TransientModelError(TransientError, ModelError):
    """The provider may accept the same call later (408, 409, 429, 5xx, a lost connection)."""


class PermanentModelError(ModelError):
    """Calling again won't help: a wrong key, an unknown model, a refused file."""


class UnansweredModelError(TransientModelError):
    """The provider's own answer is not known (a lost connection, a 5xx from anywhere on the way): the call may have taken effect."""


class UnknownBatchError(PermanentModelError):
    """The provider knows no such batch or file: it was deleted there, or another account bought it."""
