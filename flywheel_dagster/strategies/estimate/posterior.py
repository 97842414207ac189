"""What is believed of a metric after the evidence: a joint normal distribution of the model's coefficients, kept as plain JSON."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.estimate.cells import Floats
from flywheel_dagster.strategies.estimate.design import Name

VERSION = 1


@dataclass(frozen=True, eq=False)
class Posterior:
    """Coefficients on the log-odds scale, in the order of `names` (d of them)."""

    keys: int
    """How many keys the dimension has."""
    names: tuple[Name, ...]
    mean: Floats
    factor: NDArray[np.float32]
    """(d, d), lower triangular: the covariance is factor @ factor.T."""
    prior_mean: Floats
    prior_variance: Floats
    scales: Mapping[str, float]
    """By group the standard deviation of its effects, as estimated: what is believed of a level that was never seen."""
    from_population: bool = False
    """Whether other organisations' evidence is in it."""

    @cached_property
    def variance(self) -> Floats:
        """(d): the coefficients' own."""
        return np.asarray(np.einsum("ij,ij->i", self.factor, self.factor, dtype=np.float64))

    @property
    def covariance(self) -> Floats:
        """(d, d)."""
        factor = self.factor.astype(np.float64)
        return np.asarray(factor @ factor.T)

    @cached_property
    def index(self) -> dict[Name, int]:
        """The place of each name."""
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def digest(self) -> bytes:
        """32 bytes that follow from the names and numbers: the seed of everything drawn from them."""
        hashed = blake2b(repr((self.keys, self.names, sorted(self.scales.items()))).encode(), digest_size=32)
        hashed.update(self.mean.tobytes())
        hashed.update(self.factor.tobytes())
        return hashed.digest()

    def to_json(self) -> dict[str, Any]:
        """Plain values for a jsonb column; the factor's lower triangle as base64 of 32-bit floats, which the numbers already
        are."""
        lower = self.factor[np.tril_indices(len(self.names))]
        return {
            "version": VERSION,
            "keys": self.keys,
            "names": [list(name) for name in self.names],
            "mean": self.mean.tolist(),
            "factor": b64encode(lower.astype("<f4").tobytes()).decode(),
            "prior_mean": self.prior_mean.tolist(),
            "prior_variance": self.prior_variance.tolist(),
            "scales": dict(self.scales),
            "from_population": self.from_population,
        }

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Self:
        """The same posterior, to the bit. Raises InputError for another version's."""
        if value.get("version") != VERSION:
            raise InputError(
                f"the posterior is of version {value.get('version')}; this code reads {VERSION}: refresh the strategies"
            )
        size = len(value["names"])
        factor = np.zeros((size, size), dtype=np.float32)
        factor[np.tril_indices(size)] = np.frombuffer(b64decode(value["factor"]), dtype="<f4")
        return cls(
            keys=value["keys"],
            names=tuple(tuple(name) for name in value["names"]),
            mean=np.array(value["mean"], dtype=np.float64),
            factor=factor,
            prior_mean=np.array(value["prior_mean"], dtype=np.float64),
            prior_variance=np.array(value["prior_variance"], dtype=np.float64),
            scales=dict(value["scales"]),
            from_population=value["from_population"],
        )
