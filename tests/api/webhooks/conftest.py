import pytest

from tests.api.conftest import World
from tests.api.webhooks.post_office import PostOffice


@pytest.fixture
def office(world: World) -> PostOffice:
    return PostOffice(world)
