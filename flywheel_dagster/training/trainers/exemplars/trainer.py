"""The trainer without training: it makes an index of a dataset's best messages at once, on this machine and for nothing."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flywheel_dagster.datasets.derived import making
from flywheel_dagster.errors import InputError, PermanentTrainingError, UnknownJobError
from flywheel_dagster.training.estimate import Estimate, free
from flywheel_dagster.training.trainer import JobState, JobStatus, LossPoint, Offer, Recipe
from flywheel_dagster.training.trainers.exemplars.index import (
    FORMAT,
    Description,
    best_exemplars,
    description_of,
    write_index,
)

MOST = 2_000  # messages in an index: it is read in less than 0.1 s and searched in about 1 ms


class ExemplarsTrainer:
    """Makes an index in `folder`, whose name is both the job's id and the model's; `shots` messages of it will stand before each request."""

    name = "exemplars"
    offer = Offer(
        methods=("supervised",),
        least_examples=10,
        most_file_bytes=None,
        most_example_tokens=None,
        weights=True,
        model_id="the folder of its messages in TRAINING_DATA_DIR/models; they are put before requests to the base model, at OPENAI_BASE_URL",
    )

    def __init__(self, recipe: Recipe, *, folder: Path, shots: int) -> None:
        self.recipe, self._folder, self._shots = recipe, folder, shots

    def settings(self) -> Mapping[str, Any]:
        """What an index and the way it is used depend on: nothing is trained, so neither epochs nor seed."""
        return {
            "base_model": self.recipe.base_model,
            "method": self.recipe.method,
            "shots": self._shots,
            "most": MOST,
            "format": FORMAT,
        }

    def upload(self, path: Path, *, name: str) -> str:
        """The file stays where it is; that place is its id."""
        return str(path.absolute())

    def imported(self, file_id: str) -> bool:
        """At once."""
        return True

    def find(self, key: str) -> str | None:
        """The index that was made under this key."""
        for folder in self._folder.glob(f"*-{_short(key)}"):
            if (description := description_of(folder)) is not None and description.key == key:
                return folder.name
        return None

    def create(self, *, key: str, training_file: str, validation_file: str | None, suffix: str) -> str:
        """Make the index, which then is there whole, or not at all. The file to validate with isn't needed."""
        examples, folder = Path(training_file), self._folder / f"{suffix}-{_short(key)}"
        try:
            with making(folder, examples.parent) as being_made:
                exemplars = best_exemplars(examples, most=MOST)
                if not exemplars:
                    raise PermanentTrainingError(
                        f"dataset {examples.parent.name[:12]} has no positive example to train on; wait for outcomes, or choose another trainer "
                        "(FLYWHEEL_TRAINER)"
                    )
                described = Description(key, self.recipe.base_model, self._shots, len(exemplars))
                write_index(being_made, described, exemplars)
        except InputError as error:
            raise PermanentTrainingError(str(error)) from error
        except ValueError as error:
            raise PermanentTrainingError(
                f"{examples} and its manifest can't be read: {error}; delete the folder and materialize training_jsonl again"
            ) from error
        except OSError as error:
            raise PermanentTrainingError(
                f"the index of {examples} can't be made in {self._folder}: {error.strerror}; set TRAINING_DATA_DIR to a folder that you may write"
            ) from error
        return folder.name

    def status(self, job_id: str) -> JobStatus:
        """Done, as soon as it is there."""
        if (description := description_of(self._folder / job_id)) is None:
            raise UnknownJobError(
                f"there is no index {job_id} in {self._folder}: it was deleted or erased, or made elsewhere; set TRAINING_DATA_DIR to the folder "
                "where it was made, or materialize fine_tuned_model with resubmit: true to make a new one"
            )
        return JobStatus(
            job_id=job_id,
            state=JobState.SUCCEEDED,
            provider_status="indexed",
            model_id=job_id,
            trained_tokens=0,
            last_event=f"{description.exemplars} messages indexed, {description.shots} for each request to {description.base_model}",
        )

    def cancel(self, job_id: str) -> None:
        """Nothing runs that could be ended."""

    def loss_curve(self, job_id: str) -> list[LossPoint]:
        """None: nothing is trained."""
        return []

    def estimate(self, tokens: int, *, validation_tokens: int = 0) -> Estimate:
        """Free, whatever is in the examples; each request costs its base model more, for the messages before it."""
        return free(self.name, self.recipe.base_model, 0, 0, why="nothing is trained")

    def cost_usd(self, trained_tokens: int) -> float | None:
        """Nothing."""
        return 0.0


def _short(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]
