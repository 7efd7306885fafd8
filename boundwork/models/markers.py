"""What a user writes into `Annotated` to steer how a field is stored."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorePlain:
    """Allow a secret to be stored as plain text: `Annotated[SecretStr, StorePlain()]`."""
