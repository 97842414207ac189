"""What the head's tests need where its extra is installed, and why they skip where it isn't."""

import pytest

from flywheel_dagster.replies.head.encoder import EXTRA, encoder_version

needs_extra = pytest.mark.skipif(encoder_version() is None, reason=f"the extra `head` is not installed: {EXTRA}")
