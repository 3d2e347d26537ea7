"""What the tests of the commands share."""

from tests.client.conftest import running as running
